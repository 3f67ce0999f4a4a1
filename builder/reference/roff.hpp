// SPDX-License-Identifier: GPL-3.0-or-later
// Text for the macros of man(7).
#pragma once

#include <string>
#include <string_view>

namespace mailstead::reference {

/// `text`, which is UTF-8, so that roff prints it as it is: no escape, no request, no hyphen in the place of
/// a minus sign, nothing beyond ASCII (groff_char(7)). It stands inside a line.
std::string roff_text(std::string_view text);

/// The same for lines of their own, each with a newline at its end.
std::string roff_lines(std::string_view text);

}  // namespace mailstead::reference
