// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mailtest/dialogue.hpp"
#include "mailtest/surroundings.hpp"

namespace mailstead::mailtest {

/// The rows of a table: one per line, with fields separated by tabs and escaped as `unescape` reads them.
/// Empty lines and lines that begin with '#' are skipped. Errors (ErrorKind::usage, with the place in `file`,
/// all at once): a line that has not `columns` fields, a bad escape, no rows, more than 1 MiB.
Result<std::vector<Row>> parse_table(std::string_view text, const std::string& file, std::size_t columns);

/// Reads the files in `folder` that a dialogue names: the tables of `each … in FILE`, but for those of the
/// site, `site:NAME` in kSiteTables, which are in `tables` if they have rows; the scripts of `message NAME by
/// SCRIPT`, of which it notes the paths; the fragments of `include FILE`, with their parameters put in and
/// all that they include. Fragments may also be in the folder `parts` beside `folder`, or in that of
/// `shipped` (qemu-tests/, or nothing). Errors: those of parse_table, fill_fragment and parse_steps; with the
/// place in the dialogue or fragment, a file that cannot be read, fragments that include themselves, that are
/// nested more than 8 deep or are more than 1,000.
Status find_companions(Dialogue& dialogue, const std::filesystem::path& folder,
                       const std::filesystem::path& shipped = {}, const SiteTables& tables = {});

}  // namespace mailstead::mailtest
