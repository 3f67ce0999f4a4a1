// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "lock/machine_apt.hpp"

namespace mailstead::lock {

/// Where packages come from, best first: addresses without a final slash ("http://mirror.example/debian",
/// schemes http, https and file). Neither list is empty.
struct Mirrors {
  std::vector<Address> debian;
  std::vector<Address> security;

  /// The list that has a package whose Package::archive is `archive`.
  const std::vector<Address>& of(std::string_view archive) const {
    return archive == "debian-security" ? security : debian;
  }
};

/// What can name a mirror. The first that is not empty wins, in this order. Each text holds one address, or
/// two separated by white space: the main and the security mirror. A missing security mirror is the main one
/// with "-security" appended.
struct MirrorChoice {
  std::string option;       ///< --mirror
  std::string environment;  ///< MAILSTEAD_MIRROR
  MachineApt apt;           ///< else the Debian mirrors among the sources of this machine's APT
};

/// The keys that sign Debian's archive.
inline constexpr const char* kArchiveKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A source of APT's is a mirror of Debian's if it has a suite of Debian's and the component main, and is
/// signed, if it says by what (Signed-By), by one of the keys in `keyring`: what others sign is another
/// archive, whatever it holds. Errors (ErrorKind::usage): an address that cannot be one; no mirror known at
/// all; sources that APT cannot read.
Result<Mirrors> find_mirrors(const MirrorChoice& choice,
                             const std::filesystem::path& keyring = kArchiveKeyring);

/// Debian's public archive of all that its archives have ever held (its front page, "Usage", describes it).
inline constexpr std::string_view kSnapshotArchive = "https://snapshot.debian.org";

/// The address of the snapshot archive, without a final slash: `option` (--snapshot), else `environment`
/// (MAILSTEAD_SNAPSHOT), else kSnapshotArchive. Empty for "none": it is not to be asked. Errors
/// (ErrorKind::usage): an address that cannot be one.
Result<Address> find_snapshot_archive(std::string_view option, std::string_view environment);

/// The mirrors in one text as above. `origin` says in messages where the text is from ("--mirror").
Result<Mirrors> parse_mirrors(std::string_view text, std::string_view origin);

}  // namespace mailstead::lock
