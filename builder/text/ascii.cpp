// SPDX-License-Identifier: GPL-3.0-or-later
#include "text/ascii.hpp"

#include <algorithm>

namespace mailstead::text {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (is_lower(c)) c = static_cast<char>(c - 'a' + 'A');
  return result;
}

bool is_system_name(std::string_view text) {
  constexpr std::size_t kMostCharacters = 31;  // of utmp(5), which has a byte for the end
  const auto is_first = [](char c) { return is_lower(c) || c == '_'; };
  return !text.empty() && text.size() <= kMostCharacters && is_first(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_first(c) || is_digit(c) || c == '-'; });
}

}  // namespace mailstead::text
