// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mailtest/dialogue.hpp"

namespace mailstead::mailtest {

/// The rows of a table: a line each, its fields separated by tabs and escaped as `unescape` reads them. Empty
/// lines and lines that begin with '#' are left out. Errors (ErrorKind::usage, with the place in `file`, all
/// at once): a line that has not `columns` fields, a bad escape, no rows, more than 1 MiB.
Result<std::vector<Row>> parse_table(std::string_view text, const std::string& file, std::size_t columns);

/// Reads the tables of all `each … in FILE` of a dialogue, which lie in `folder`, into their steps, and gives
/// the scripts of `message NAME by SCRIPT`, which lie there too, their paths. Errors: as parse_table; a file
/// that cannot be read, with the place in the dialogue.
Status find_companions(Dialogue& dialogue, const std::filesystem::path& folder);

}  // namespace mailstead::mailtest
