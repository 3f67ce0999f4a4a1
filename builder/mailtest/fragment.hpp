// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mailtest/lines.hpp"

namespace mailstead::mailtest {

/// The words of a line, where NAME="TEXT WITH BLANKS" is one, without its quotes; \" in it is a quote.
/// Nothing if a quote is not closed.
std::optional<std::vector<std::string>> split_arguments(std::string_view line);

/// The lines of the fragment `text` with its parameters put in, ready for parse_steps. The first line that is
/// no comment may list them, `parameters NAME NAME=VALUE…` (after `=`, the value if none is given); it
/// becomes empty. In the other lines each ${NAME} becomes the value. Without that line a fragment has no
/// parameters. `arguments` are NAME=VALUE, as split_arguments gives them. Errors (ErrorKind::usage, with the
/// place in `file`): a line `parameters` that is not understood. Errors without a place, which is that of the
/// include: a name that is no parameter or is given twice, a parameter without a value.
Result<std::vector<Line>> fill_fragment(std::string_view text, const std::string& file,
                                        const std::vector<std::string>& arguments);

}  // namespace mailstead::mailtest
