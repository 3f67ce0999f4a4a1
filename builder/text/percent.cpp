// SPDX-License-Identifier: GPL-3.0-or-later
#include "text/percent.hpp"

#include <charconv>
#include <cstdint>

#include "text/ascii.hpp"

namespace mailstead::text {

std::string percent_encoded(std::string_view text, std::string_view plain, HexDigits digits) {
  const char* const hex = digits == HexDigits::upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    if (is_alphanumeric(c) || plain.find(c) != std::string_view::npos) {
      result += c;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    result += {'%', hex[byte >> 4], hex[byte & 0xf]};
  }
  return result;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::uint8_t byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      result += static_cast<char>(byte);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace mailstead::text
