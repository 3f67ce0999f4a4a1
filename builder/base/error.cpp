// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace mailstead {
namespace {

/// How many columns a prefix of UTF-8 text takes, counting each code point as one.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// How many bytes the character at `at` has: 1 for what is not UTF-8.
std::size_t character_size(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
  for (std::size_t i = 1; i < size; ++i) {
    if (at + i >= text.size() || (static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 1;
  }
  return size;
}

/// Whether a character steers a terminal: C0 and C1 controls (ECMA-48 section 5), or what turns the direction
/// of the text around it (Unicode Standard Annex 9 section 2).
bool is_control(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < 0x20 || (byte(0) >= 0x7f && byte(0) < 0xa0);
  if (character.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
  const bool overrides = character.starts_with("\xe2\x80") && byte(2) >= 0xaa && byte(2) <= 0xae;
  const bool isolates = character.starts_with("\xe2\x81") && byte(2) >= 0xa6 && byte(2) <= 0xa9;
  return overrides || isolates;
}

/// Text that came from outside can hold control characters, which must not reach the user's terminal;
/// newlines stay.
std::string without_controls(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view character = text.substr(at, character_size(text, at));
    if (character == "\t") {
      out += ' ';
    } else if (character != "\n" && is_control(character)) {
      out += '?';
    } else {
      out += character;
    }
    at += character.size();
  }
  return out;
}

/// "mail.yaml:4:33: ", or nothing.
std::string place_prefix(const Error& error) {
  if (!error.place) return {};
  const Place& place = *error.place;
  std::string out = without_controls(place.file);
  if (place.line > 0) out += fmt::format(":{}", place.line);
  if (place.line > 0 && place.column > 0) out += fmt::format(":{}", place.column);
  return out + ": ";
}

void append_one(std::string& out, const Error& error) {
  out += place_prefix(error) + without_controls(error.message) + '\n';
  if (error.place && error.place->line > 0 && !error.place->source_line.empty()) {
    const Place& place = *error.place;
    constexpr std::size_t kWidest = 160;
    const std::string line = without_controls(place.source_line);
    if (columns(line) <= kWidest) {
      out += fmt::format("{:>5} | {}\n", place.line, line);
      if (place.column > 0) {
        const std::size_t before = std::min(columns(line), static_cast<std::size_t>(place.column - 1));
        const std::size_t room = std::max<std::size_t>(1, columns(line) - before);
        const auto length =
            std::clamp<std::size_t>(static_cast<std::size_t>(std::max(place.length, 1)), 1, room);
        out += fmt::format("      | {:>{}}{}\n", "^", place.column, std::string(length - 1, '~'));
      }
    }
  }
  if (!error.hint.empty()) out += fmt::format("  {}\n", without_controls(error.hint));
  for (const std::string& note : error.notes) out += fmt::format("  {}\n", without_controls(note));
}

}  // namespace

Error join_errors(std::vector<Error> errors) {
  const auto key = [](const Error& error) {
    const Place place = error.place.value_or(Place{});
    return std::make_tuple(place.file, place.line, place.column, error.message);
  };
  std::stable_sort(errors.begin(), errors.end(),
                   [&](const Error& a, const Error& b) { return key(a) < key(b); });
  Error first = std::move(errors.front());
  for (auto it = errors.begin() + 1; it != errors.end(); ++it) first.others.push_back(std::move(*it));
  return first;
}

std::string format_error(const Error& error) {
  std::string out;
  append_one(out, error);
  for (const Error& other : error.others) out += format_error(other);
  return out;
}

std::string format_error_line(const Error& error) {
  return place_prefix(error) +
         without_controls(error.message + (error.hint.empty() ? "" : " (" + error.hint + ")"));
}

int exit_code(const Error& error) {
  return error.kind == ErrorKind::usage ? 2 : 1;
}

}  // namespace mailstead
