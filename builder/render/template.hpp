// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "render/value.hpp"

namespace mailstead::render {

/// Renders a template (the language is described in rootfs-overlays/README.md). `file` names the template in
/// messages; `context` is a map. Errors (ErrorKind::usage, with the place in the template): a name that does
/// not exist, a value of the wrong type, a control character in an inserted value, an unknown directive or
/// filter, blocks that are not closed, not opened or nested deeper than 16.
Result<std::string> render_template(std::string_view text, const std::string& file, const Value& context);

}  // namespace mailstead::render
