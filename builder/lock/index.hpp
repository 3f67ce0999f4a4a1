// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "base/result.hpp"
#include "lock/lock.hpp"

namespace mailstead::lock {

/// Name, version and architecture: what the solver answers with.
using Identity = std::tuple<std::string, std::string, std::string>;

/// Reads a Packages index (Debian repository format) that APT has verified, stanza by stanza, and fills in
/// those packages of `wanted` that are in it and have no digest yet; their archive becomes `archive`. Errors
/// (ErrorKind::integrity): a wanted stanza without usable Filename, Size or SHA256.
Status fill_from_index(const std::filesystem::path& index, const std::string& archive,
                       std::map<Identity, Package>& wanted);

/// Adds the packages of a Packages index that APT has verified to `newest`, by their names; of several
/// versions the newest stays. Errors: ErrorKind::io.
Status collect_newest(const std::filesystem::path& index, std::map<std::string, std::string>& newest);

/// What is used of a Release file.
struct Release {
  std::string codename;
  std::string suite;
  std::int64_t date = 0;  ///< seconds since the epoch
};

/// Reads the text of an InRelease (only its signed part counts) or Release file that APT has verified.
Result<Release> parse_release(std::string_view text, const std::string& name);

/// "Sat, 21 Nov 2026 09:15:44 UTC" (RFC 2822 with UTC or +0000) as seconds since the epoch.
Result<std::int64_t> parse_release_date(std::string_view text);

}  // namespace mailstead::lock
