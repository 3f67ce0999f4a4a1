// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

namespace mailstead {
namespace {

Color chosen_color = Color::automatic;

bool is_dumb() {
  const char* type = std::getenv("TERM");
  return type != nullptr && std::string_view(type) == "dumb";
}

/// $COLUMNS, as shells and pagers take it; 0 if it is not a number.
std::size_t columns_variable() {
  const char* value = std::getenv("COLUMNS");
  if (value == nullptr) return 0;
  const std::string_view text = value;
  std::size_t columns = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
  return error == std::errc() && end == text.data() + text.size() ? columns : 0;
}

/// How many columns text takes: one for each code point, none for escape sequences (ECMA-48 section 5.4).
std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\033[")) {
      i += 2;
      while (i < text.size() && (text[i] < 0x40 || text[i] > 0x7e)) ++i;
    } else if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {
      ++columns;
    }
  }
  return columns;
}

/// The end of the word at `begin`: the next space that is not between backquotes.
std::size_t word_end(std::string_view line, std::size_t begin) {
  for (std::size_t i = begin; i < line.size(); ++i) {
    if (line[i] == ' ') return i;
    if (line[i] != '`') continue;
    if (const std::size_t close = line.find('`', i + 1); close != std::string_view::npos) i = close;
  }
  return line.size();
}

/// "   14 | accounts:" or "      | ^~~~", as format_error writes them.
bool is_source(std::string_view line) {
  const std::size_t bar = line.find(" | ");
  return bar != std::string_view::npos && bar >= 5 &&
         line.substr(0, bar).find_first_not_of(" 0123456789") == std::string_view::npos;
}

/// What is to be copied and has a line of its own is set apart like this.
bool is_command(std::string_view line) {
  return line.starts_with("    ");
}

}  // namespace

void set_color(Color color) {
  chosen_color = color;
}

bool has_color(int fd) {
  if (chosen_color != Color::automatic) return chosen_color == Color::always;
  const char* off = std::getenv("NO_COLOR");
  return (off == nullptr || *off == '\0') && can_redraw(fd);
}

bool can_redraw(int fd) {
  return ::isatty(fd) == 1 && !is_dumb();
}

std::size_t terminal_width(int fd) {
  constexpr std::size_t kLeast = 40;
  if (const std::size_t columns = columns_variable(); columns > 0) return std::max(columns, kLeast);
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 0;
  return std::max<std::size_t>(size.ws_col, kLeast);
}

std::string wrap_line(std::string_view line, std::size_t width, std::size_t indent) {
  if (width == 0 || columns_of(line) <= width) return std::string(line);
  indent = std::min(indent, width / 2);
  std::string out;
  std::size_t used = 0;   // columns of the last line in `out`
  bool has_word = false;  // on that line
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = std::min(line.find_first_not_of(' ', at), line.size());
    const std::size_t end = word_end(line, begin);
    const std::string_view word = line.substr(begin, end - begin);
    const std::size_t gap = begin - at;
    if (word.empty()) break;
    if (has_word && used + gap + columns_of(word) > width) {
      out += '\n' + std::string(indent, ' ');
      used = indent;
    } else {
      out.append(gap, ' ');
      used += gap;
    }
    out += word;
    used += columns_of(word);
    has_word = true;
    at = end;
  }
  return out;
}

std::string wrap_message(std::string_view text, std::size_t width) {
  constexpr std::size_t kIndent = 4;
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t indent = std::max(kIndent, std::min(line.find_first_not_of(' '), line.size()));
    out += is_source(line) || is_command(line) ? std::string(line) : wrap_line(line, width, indent);
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace mailstead
