// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/grammar.hpp"

#include <algorithm>

namespace mailstead::lock {
namespace {

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}
bool is_small_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || is_decimal(c);
}
bool is_letter_or_digit(char c) {
  return is_small_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/// Whether `text` consists of what `plain` accepts and of `marks`.
bool consists_of(std::string_view text, bool (*plain)(char), std::string_view marks) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return plain(c) || marks.find(c) != std::string_view::npos; });
}

}  // namespace

bool is_package_name(std::string_view name) {
  return name.size() >= 2 && name.size() <= 120 && is_small_or_digit(name[0]) &&
         consists_of(name, is_small_or_digit, "+-.");
}

bool is_version(std::string_view text) {
  if (text.size() > 200) return false;
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    // dpkg's epoch is an int.
    if (colon == 0 || colon > 9 || !consists_of(text.substr(0, colon), is_decimal, "")) return false;
    text.remove_prefix(colon + 1);
  }
  if (const auto dash = text.rfind('-'); dash != std::string_view::npos) {
    const std::string_view revision = text.substr(dash + 1);
    if (revision.empty() || !consists_of(revision, is_letter_or_digit, "+.~")) return false;
    text = text.substr(0, dash);
  }
  return !text.empty() && is_decimal(text[0]) && consists_of(text, is_letter_or_digit, ".+-~");
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 40 && is_small_or_digit(name[0]) &&
         consists_of(name, is_small_or_digit, "-");
}

bool is_archive(std::string_view name) {
  return name == "debian" || name == "debian-security";
}

bool is_pool_path(std::string_view path) {
  return path.starts_with("pool/") && path.ends_with(".deb") && path.size() <= 400 &&
         consists_of(path, is_letter_or_digit, "/._+-~:") && path.find("//") == std::string_view::npos &&
         path.find("/.") == std::string_view::npos;
}

bool is_archive_time(std::int64_t seconds) {
  return seconds >= 745'000'000 && seconds <= 253'402'300'799;
}

}  // namespace mailstead::lock
