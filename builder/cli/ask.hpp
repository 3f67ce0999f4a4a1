// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mailstead::cli {

/// Whether somebody reads what is asked on stderr and answers on stdin.
bool can_ask();

/// Prints the question on the terminal and returns the next line of standard input without its end; nothing
/// at the end of the input. Without a terminal nothing is printed. Errors: ErrorKind::interrupted;
/// ErrorKind::usage for a line of more than 64 KiB.
Result<std::optional<std::string>> ask(std::string_view question);

/// Like ask, but what is typed does not appear.
Result<std::optional<std::string>> ask_secret(std::string_view question);

}  // namespace mailstead::cli
