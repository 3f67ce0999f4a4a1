// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace mailstead {
namespace {

/// Bytes of the character that `text` begins with, and the character; 0 bytes if it is not UTF-8.
struct Character {
  std::size_t bytes = 0;
  std::uint32_t value = 0;
};

Character first_character(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  if (lead < 0x80) return {1, lead};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  std::uint32_t value = lead & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<std::uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    value = value << 6 | (next & 0x3fu);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kSmallest[bytes] || value > 0x10ffff || surrogate) return {};
  return {bytes, value};
}

/// What moves the cursor, or lets text read otherwise than it is (overrides and isolates of direction).
bool is_control(std::uint32_t value) {
  return value < 0x20 || (value >= 0x7f && value < 0xa0) || (value >= 0x202a && value <= 0x202e) ||
         (value >= 0x2066 && value <= 0x2069);
}

}  // namespace

std::string printable(std::string_view text, bool keep_tabs) {
  std::string result;
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::size_t bytes = character.bytes == 0 ? 1 : character.bytes;
    const bool kept = keep_tabs && character.value == '\t';
    if (character.bytes == 0 || (is_control(character.value) && !kept)) {
      for (const char c : text.substr(0, bytes))
        result += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    } else {
      result += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return result;
}

std::string valid_utf8(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t bytes = first_character(text).bytes;
    result += bytes == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, bytes);
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return result;
}

bool is_text(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.bytes == 0 || character.value == 0) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

}  // namespace mailstead
