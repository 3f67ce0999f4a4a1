// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "yaml/tree.hpp"

namespace mailstead::yaml {
namespace {

/// A longer line is no help to anybody, and a thousand errors must not copy it a thousand times.
constexpr std::size_t kMostSourceLine = 400;

bool begins_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

/// The place of a byte in text that need not be valid UTF-8, without its source line.
Place raw_place(std::string_view text, std::size_t offset, const std::string& name) {
  Place place{name, 1, 1, 1, {}};
  for (std::size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else if (begins_code_point(text[i])) {
      ++place.column;
    }
  }
  return place;
}

}  // namespace

std::pair<std::size_t, std::uint32_t> decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto continues = [&](std::size_t i) { return at + i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  if (lead >= 0xc2 && lead <= 0xdf && continues(1)) return {2, (lead & 0x1fu) << 6 | (byte(1) & 0x3fu)};
  if ((lead & 0xf0) == 0xe0 && continues(1) && continues(2)) {
    const std::uint32_t point = (lead & 0x0fu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu);
    if (point >= 0x800 && (point < 0xd800 || point > 0xdfff)) return {3, point};
  }
  if (lead >= 0xf0 && lead <= 0xf4 && continues(1) && continues(2) && continues(3)) {
    const std::uint32_t point =
        (lead & 0x07u) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3fu);
    if (point >= 0x10000 && point <= 0x10ffff) return {4, point};
  }
  return {0, 0};
}

Result<std::string> checked_text(std::string text, const std::string& name) {
  const auto refuse = [&](std::size_t offset, std::string message, std::string hint) {
    return fail(
        Error{ErrorKind::usage, std::move(message), raw_place(text, offset, name), std::move(hint), {}, {}});
  };
  if (text.size() > kMostBytes) {
    return fail(Error{ErrorKind::usage,
                      fmt::format("the file is larger than {} MiB", kMostBytes >> 20),
                      Place{name, 0, 0, 1, {}},
                      {},
                      {},
                      {}});
  }
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f)) {
      ++i;
      continue;
    }
    if (c == '\r') {
      if (i + 1 >= text.size() || text[i + 1] != '\n') {
        return refuse(i, "a carriage return without a line feed", "end lines with LF");
      }
      ++i;
      continue;
    }
    const auto [size, point] = decode(text, i);
    if (size == 0)
      return refuse(i, fmt::format("byte 0x{:02x} is not UTF-8", static_cast<unsigned char>(c)),
                    "save the file as UTF-8");
    if (point < 0xa0 || point == 0xfeff || (point & 0xfffe) == 0xfffe) {
      return refuse(i, fmt::format("the file holds the control character U+{:04X}", point), "remove it");
    }
    i += size;
  }
  return text;
}

Source::Source(std::string text, std::string name) : text_(std::move(text)), name_(std::move(name)) {
  Mark mark{0, 1, 0};
  marks_.reserve(text_.size() / kStep + 1);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (i % kStep == 0) marks_.push_back(mark);
    if (text_[i] == '\n') {
      mark = {static_cast<std::uint32_t>(i + 1), mark.line + 1, 0};
    } else if (begins_code_point(text_[i])) {
      ++mark.column;
    }
  }
  if (text_.size() % kStep == 0) marks_.push_back(mark);
}

Source::Mark Source::mark_at(std::size_t offset) const {
  const std::size_t at = std::min(offset, text_.size());
  Mark mark = marks_[at / kStep];
  for (std::size_t i = at / kStep * kStep; i < at; ++i) {
    if (text_[i] == '\n') {
      mark = {static_cast<std::uint32_t>(i + 1), mark.line + 1, 0};
    } else if (begins_code_point(text_[i])) {
      ++mark.column;
    }
  }
  return mark;
}

Place Source::place(std::size_t offset, int length) const {
  const Mark mark = mark_at(offset);
  Place place{name_, static_cast<int>(mark.line), static_cast<int>(mark.column) + 1, std::max(length, 1), {}};
  const std::uint32_t shown = mark.line < shown_.size() ? shown_[mark.line] : kAll;
  // Before the secret the line can still help; in and behind it the caret would point at nothing.
  if (shown != kAll && (shown == 0 || offset >= mark.line_begin + shown)) return place;
  const std::string_view rest = std::string_view(text_).substr(mark.line_begin, kMostSourceLine + 1);
  std::string_view line = rest.substr(0, rest.find('\n'));
  if (line.size() > kMostSourceLine) return place;
  if (line.ends_with('\r')) line.remove_suffix(1);
  place.source_line = line.substr(0, shown);
  if (shown < line.size()) place.source_line += "…";
  return place;
}

void Source::conceal(std::size_t begin, std::size_t end) {
  const Mark mark = mark_at(begin);
  std::size_t line = mark.line;
  const auto show_only = [&](std::uint32_t size) {
    if (shown_.size() <= line) shown_.resize(line + 1, kAll);
    shown_[line] = std::min(shown_[line], size);
  };
  show_only(static_cast<std::uint32_t>(begin) - mark.line_begin);
  for (std::size_t i = begin; i < std::min(end, text_.size()); ++i) {
    if (text_[i] != '\n') continue;
    ++line;
    show_only(0);
  }
}

bool looks_secret(std::string_view key) {
  std::string lower(key);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const char* word : {"pass", "pasw", "pawd", "pwd", "hash", "secret"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace mailstead::yaml
