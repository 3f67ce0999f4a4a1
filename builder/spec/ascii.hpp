// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace mailstead::spec {

/// Whatever the locale says: domain names and numbers are ASCII.
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

}  // namespace mailstead::spec
