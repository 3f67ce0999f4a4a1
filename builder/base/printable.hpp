// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace mailstead {

/// Text from an image for a terminal: control characters (C0, DEL, C1, directions) and bytes that are not
/// UTF-8 become
/// \xHH, so that no name in a hostile image moves the cursor or answers for the user. With `keep_tabs`, tabs
/// stay.
std::string printable(std::string_view text, bool keep_tabs = false);

/// `text` with U+FFFD for each byte that is not UTF-8 (RFC 3629).
std::string valid_utf8(std::string_view text);

/// Whether all of `text` is UTF-8 (RFC 3629) without NUL: what a person would call text.
bool is_text(std::string_view text);

}  // namespace mailstead
