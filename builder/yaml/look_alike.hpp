// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mailstead::yaml {

/// `text` (UTF-8) with each letter of another alphabet that looks like an ASCII letter in its place (Unicode
/// Technical Standard 39, confusables.txt: Cyrillic, Greek, Armenian, phonetic); other characters as they
/// are.
std::string as_it_looks(std::string_view text);

/// Where two texts differ that look the same: "letter 2 is Cyrillic U+0435 in the first and Latin U+0065 in
/// the second". Nothing if they are the same or look different.
std::optional<std::string> hidden_difference(std::string_view first, std::string_view second);

}  // namespace mailstead::yaml
