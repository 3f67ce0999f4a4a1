// SPDX-License-Identifier: GPL-3.0-or-later
#include "yaml/look_alike.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "yaml/tree.hpp"

namespace mailstead::yaml {
namespace {

struct LookAlike {
  char32_t letter;
  char32_t ascii;
};

/// By code point.
constexpr LookAlike kLookAlikes[] = {
    {0x0131, 'i'}, {0x0251, 'a'}, {0x0261, 'g'}, {0x0269, 'i'}, {0x03ac, 'a'}, {0x03b1, 'a'}, {0x03b3, 'y'},
    {0x03b9, 'i'}, {0x03ba, 'k'}, {0x03bd, 'v'}, {0x03bf, 'o'}, {0x03c1, 'p'}, {0x03c3, 'o'}, {0x03c5, 'u'},
    {0x03c7, 'x'}, {0x03f2, 'c'}, {0x03f3, 'j'}, {0x0430, 'a'}, {0x0433, 'r'}, {0x0435, 'e'}, {0x043a, 'k'},
    {0x043e, 'o'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'},
    {0x0458, 'j'}, {0x0461, 'w'}, {0x0475, 'v'}, {0x04ae, 'y'}, {0x04af, 'y'}, {0x04bb, 'h'}, {0x04cf, 'l'},
    {0x0501, 'd'}, {0x051b, 'q'}, {0x051d, 'w'}, {0x0561, 'w'}, {0x0563, 'q'}, {0x0566, 'q'}, {0x0570, 'h'},
    {0x0578, 'n'}, {0x057c, 'n'}, {0x057d, 'u'}, {0x0581, 'g'}, {0x0584, 'f'}, {0x0585, 'o'},
};

char32_t shape_of(char32_t letter) {
  const auto at =
      std::lower_bound(std::begin(kLookAlikes), std::end(kLookAlikes), letter,
                       [](const LookAlike& entry, char32_t value) { return entry.letter < value; });
  return at != std::end(kLookAlikes) && at->letter == letter ? at->ascii : letter;
}

/// The code points of UTF-8; each byte that is not UTF-8 is one.
std::u32string code_points(std::string_view text) {
  std::u32string points;
  while (!text.empty()) {
    const auto [size, point] = decode(text, 0);
    points += size == 0 ? static_cast<unsigned char>(text.front()) : static_cast<char32_t>(point);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return points;
}

std::string_view alphabet_of(char32_t letter) {
  if (letter >= 0x0370 && letter < 0x0400) return "Greek";
  if (letter >= 0x0400 && letter < 0x0530) return "Cyrillic";
  if (letter >= 0x0530 && letter < 0x0590) return "Armenian";
  return "Latin";
}

std::string describe(char32_t letter) {
  return fmt::format("{} U+{:04X}", alphabet_of(letter), static_cast<std::uint32_t>(letter));
}

}  // namespace

std::string as_it_looks(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [size, point] = decode(text, 0);
    const std::size_t bytes = std::max<std::size_t>(size, 1);
    const char32_t shape = size == 0 ? 0x80 : shape_of(point);
    if (shape < 0x80)
      out += static_cast<char>(shape);
    else
      out += text.substr(0, bytes);
    text.remove_prefix(bytes);
  }
  return out;
}

std::optional<std::string> hidden_difference(std::string_view first, std::string_view second) {
  if (first == second || as_it_looks(first) != as_it_looks(second)) return std::nullopt;
  const std::u32string one = code_points(first);
  const std::u32string other = code_points(second);
  const auto [at, there] = std::mismatch(one.begin(), one.end(), other.begin(), other.end());
  if (at == one.end() || there == other.end()) return std::nullopt;
  return fmt::format("letter {} is {} in the first and {} in the second", at - one.begin() + 1, describe(*at),
                     describe(*there));
}

}  // namespace mailstead::yaml
