// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "profile/profile.hpp"
#include "rootfs/control.hpp"
#include "rootfs/deb.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::rootfs {

/// A locked package on disk.
struct PackageFile {
  std::string name;
  std::string version;
  std::string architecture;  ///< "amd64" or "all"
  std::filesystem::path deb;
};

struct UnpackInput {
  std::vector<PackageFile> packages;
  std::filesystem::path
      spool_folder;      ///< where contents are kept while trees live; empty: the temporary folder
  unsigned threads = 0;  ///< 0: as many as there are processors
};

/// Unpacks the packages into one spool, several at a time, the largest first. The result is in the order of
/// the input, whatever the threads did. Errors: what unpack_deb finds; a package whose control data is not
/// what the lock says. All of them are reported together; ErrorKind::interrupted if the user asked to stop.
Result<std::vector<UnpackedDeb>> unpack_packages(const UnpackInput& input, Reporter& reporter);

struct ComposeInput {
  std::vector<const UnpackedDeb*> packages;  ///< in the order of the lock; none is null
  std::vector<std::string> exclude;          ///< globs of paths left out (fnmatch(3), '*' also matches '/')
  std::vector<std::string> keep;             ///< globs of files that stay although excluded
  std::map<std::string, profile::Diversion> diversions;  ///< by relative path
  std::int64_t clock = 0;  ///< upper bound of all file times, seconds since the epoch
};

/// A package in the tree: what it says about itself, and which paths it brought (relative, sorted).
struct ComposedPackage {
  ControlData control;
  std::vector<std::string> paths;
};

struct Composed {
  FileTree tree;
  std::vector<ComposedPackage> packages;  ///< in the order of the input
  std::vector<std::string> unmatched;     ///< globs of `exclude` and `keep` that matched nothing
};

/// Merges packages in the order given. The usr-merge links (bin, sbin, lib, lib64) come first, whoever ships
/// them, so that a package which still has bin/x lands in usr/bin/x. The trees of two calls share contents,
/// but no attributes.
///
/// Errors: two packages with the same path and different files, unless one of them Replaces the other (its
/// file then wins, whatever the order); a symlink in the root directory other than those of the usr-merge.
/// All errors are reported together.
Result<Composed> compose(const ComposeInput& input);

/// Where the package database is in an image: below /usr, since /var is a data partition and empty in a fresh
/// image.
inline constexpr const char* kDpkgDatabase = "usr/share/mailstead/dpkg";

/// Writes dpkg's database for what is in `composed.tree` (status, info/<package>.list and .md5sums), so that
/// vulnerability scanners and `dpkg -l` can read it, and makes var/lib/dpkg a symlink to it: a relative one,
/// as a scanner mounts the image somewhere. Files that were left out are not listed. Packages that are
/// "Multi-Arch: same" have their architecture in the file name, as dpkg does it. The packages `elsewhere` are
/// in the appliance, but not in this tree (initrd, boot loaders): they are listed too, and their licence
/// files are laid into the tree. Errors: ErrorKind::integrity for one of these without a licence file.
Status add_dpkg_database(Composed& composed, const std::vector<const UnpackedDeb*>& elsewhere,
                         std::int64_t clock);

}  // namespace mailstead::rootfs
