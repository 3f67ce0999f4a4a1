// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::lock {

/// Where packages come from, best first: addresses without a final slash ("http://mirror.example/debian",
/// schemes http, https and file). Neither list is empty.
struct Mirrors {
  std::vector<std::string> debian;
  std::vector<std::string> security;

  /// The list that has a package whose Package::archive is `archive`.
  const std::vector<std::string>& of(std::string_view archive) const {
    return archive == "debian-security" ? security : debian;
  }
};

/// What can name a mirror. The first that is not empty wins, in this order. Each text holds one address, or
/// two separated by white space: the main and the security mirror. A missing security mirror is the main one
/// with "-security" appended.
struct MirrorChoice {
  std::string option;       ///< --mirror
  std::string environment;  ///< MAILSTEAD_MIRROR
  std::filesystem::path apt_folder =
      "/etc/apt";  ///< else the Debian mirrors of this machine's own APT sources
};

/// Errors (ErrorKind::usage): an address that cannot be one; no mirror known at all.
Result<Mirrors> find_mirrors(const MirrorChoice& choice);

/// Debian's public archive of all that its archives have ever held (its front page, "Usage", describes it).
inline constexpr std::string_view kSnapshotArchive = "https://snapshot.debian.org";

/// The address of the snapshot archive, without a final slash: `option` (--snapshot), else `environment`
/// (MAILSTEAD_SNAPSHOT), else kSnapshotArchive. Empty for "none": it is not to be asked. Errors
/// (ErrorKind::usage): an address that cannot be one.
Result<std::string> find_snapshot_archive(std::string_view option, std::string_view environment);

/// The mirrors in one text as above. `origin` says in messages where the text is from ("--mirror").
Result<Mirrors> parse_mirrors(std::string_view text, std::string_view origin);

}  // namespace mailstead::lock
