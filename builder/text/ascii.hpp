// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace mailstead::text {

// Whatever the locale says: names and numbers in the formats that we read and write are ASCII.

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_alphanumeric(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}

/// `text` with ASCII letters in lower case; all other bytes stay.
std::string lower(std::string_view text);
/// `text` with ASCII letters in upper case; all other bytes stay.
std::string upper(std::string_view text);

/// Whether `text` is the name of a user or group of a system, in the strict form of systemd's "User/Group
/// Name Syntax": lower-case letters, digits, '_' and '-', the first no digit and no '-', at most 31
/// characters.
bool is_system_name(std::string_view text);

}  // namespace mailstead::text
