// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/ascii.hpp"
#include "text/split.hpp"

namespace mailstead::lock {

using text::lower;
using text::split_lines;
using text::split_words;
using text::trim;
using text::upper;

/// Whether `text` is what apt reads as "no".
inline bool is_no(std::string_view text) {
  const std::string word = lower(text);
  return word == "no" || word == "false" || word == "without" || word == "off" || word == "disable" ||
         word == "0";
}

/// "a, b and 3 more": the first `shown` of `names`.
inline std::string list_some(const std::vector<std::string>& names, std::size_t shown = 5) {
  std::string text;
  const std::size_t count = names.size() > shown ? shown : names.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  if (count < names.size()) text += " and " + std::to_string(names.size() - count) + " more";
  return text;
}

}  // namespace mailstead::lock
