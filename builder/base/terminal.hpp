// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailstead {

enum class Color { automatic, always, never };

/// What --color says. Called once, before threads start; without a call, Color::automatic.
void set_color(Color color);

/// Whether to write colours to this descriptor. With Color::automatic: it is a terminal, TERM is not "dumb",
/// and NO_COLOR is not set, or empty (https://no-color.org).
bool has_color(int fd);

/// Whether the descriptor is a terminal on which a line can be erased and written anew: TERM is not "dumb".
bool can_redraw(int fd);

/// Columns to wrap text at: $COLUMNS if it is a number, else the terminal's, but at least 40; 0 if the
/// descriptor is no terminal, or one that does not tell.
std::size_t terminal_width(int fd);

/// `line`, which has no newline, broken between words so that no line has more than `width` columns, if words
/// are short enough; later lines begin with `indent` spaces. What stands between two backquotes is a command
/// to copy, and is not broken, however long it is. With `width` 0 the line stays as it is. Escape sequences
/// have no width.
std::string wrap_line(std::string_view line, std::size_t width, std::size_t indent);

/// wrap_line for every line of a message; later lines are indented more than the line that they belong to.
/// These stay as they are: a line of source that is quoted, the caret below it, and what begins with four
/// spaces, as a command that is to be copied does.
std::string wrap_message(std::string_view text, std::size_t width);

}  // namespace mailstead
