// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mailtest/dialogue.hpp"

namespace mailstead::mailtest {

/// The words of a line, where NAME="TEXT WITH BLANKS" is one, without its quotes; \" in it is a quote.
/// Nothing if a quote is not closed.
std::optional<std::vector<std::string>> split_arguments(std::string_view line);

/// A fragment's text with its parameters put in, ready for parse_steps: `text` names them in its first line
/// that is no comment, `parameters NAME NAME=VALUE…` (with `=`, what holds if no value is given), which
/// becomes empty; each ${NAME} becomes the value. Without that line it has none. `arguments` are NAME=VALUE,
/// as split_arguments gives them. Errors (ErrorKind::usage, with the place in `file`): a line `parameters`
/// that is not understood. Errors without a place, which is that of the include: a name that is no parameter
/// or is given twice, a parameter without a value.
Result<std::string> fill_fragment(std::string_view text, const std::string& file,
                                  const std::vector<std::string>& arguments);

}  // namespace mailstead::mailtest
