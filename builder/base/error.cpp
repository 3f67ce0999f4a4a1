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

/// Text that came from a file can hold control characters, which must not reach the user's terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t') {
      out += ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      out += '?';
    } else {
      out += c;
    }
  }
  return out;
}

/// "mail.yaml:4:33: ", or nothing.
std::string place_prefix(const Error& error) {
  if (!error.place) return {};
  const Place& place = *error.place;
  std::string out = place.file;
  if (place.line > 0) out += fmt::format(":{}", place.line);
  if (place.line > 0 && place.column > 0) out += fmt::format(":{}", place.column);
  return out + ": ";
}

void append_one(std::string& out, const Error& error) {
  out += place_prefix(error) + error.message;
  out += '\n';
  if (error.place && error.place->line > 0 && !error.place->source_line.empty()) {
    const Place& place = *error.place;
    constexpr std::size_t kWidest = 160;
    const std::string line = printable(place.source_line);
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
  if (!error.hint.empty()) out += fmt::format("  {}\n", error.hint);
  for (const std::string& note : error.notes) out += fmt::format("  {}\n", note);
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
  return place_prefix(error) + error.message + (error.hint.empty() ? "" : " (" + error.hint + ")");
}

int exit_code(const Error& error) {
  return error.kind == ErrorKind::usage ? 2 : 1;
}

}  // namespace mailstead
