// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mailstead::text {

// What comes back lies in `text`, which has to live as long.

/// The lines of `text` without their line ends ("\n" or "\r\n"). A last line end begins no further line.
std::vector<std::string_view> split_lines(std::string_view text);

/// The words of `text`, separated by spaces and tabs.
std::vector<std::string_view> split_words(std::string_view text);

/// `text` without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// Copies that live by themselves.
std::vector<std::string> to_strings(const std::vector<std::string_view>& parts);

}  // namespace mailstead::text
