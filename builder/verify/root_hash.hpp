// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mailstead::verify {

/// A root hash as people pass it on, with digits in either case: the same in lower case. Errors
/// (ErrorKind::usage), in the words of the option `--root-hash`: another character, or not 64 of them.
Result<std::string> parse_root_hash(std::string_view text);

}  // namespace mailstead::verify
