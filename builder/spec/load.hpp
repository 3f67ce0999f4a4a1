// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "spec/site.hpp"

namespace mailstead::spec {

/// Reads and validates a spec of format 1. All errors are found in one pass and carry their places
/// (ErrorKind::usage). Files that the spec names (password_hash_file, sieve, certificates) are read here,
/// relative to the spec's folder; key files that `mailstead keys` makes need not exist yet.
Result<Site> load_site(const std::filesystem::path& file);

/// The text of a spec, for parse_site. Errors (ErrorKind::usage): it cannot be read, or is larger than any
/// spec.
Result<std::string> read_spec(const std::filesystem::path& file);

/// The same from memory; `file` names the text in messages, its parent is the site's folder.
Result<Site> parse_site(std::string text, const std::filesystem::path& file);

}  // namespace mailstead::spec
