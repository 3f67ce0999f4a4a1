// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <string>

#include "base/result.hpp"

namespace mailstead::render {

/// The bytes of a constant database (cdb(5)) with `entries`, as Postfix's postmap(1) would make it: keys and
/// values without a final NUL. Equal input gives equal bytes. Errors: no memory file can be made or written
/// (ErrorKind::io).
Result<std::string> make_cdb(const std::map<std::string, std::string>& entries);

}  // namespace mailstead::render
