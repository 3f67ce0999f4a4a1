// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "rootfs/control.hpp"
#include "rootfs/file_tree.hpp"
#include "rootfs/spool.hpp"

namespace mailstead::rootfs {

/// A package taken apart, with its contents in a spool.
struct UnpackedDeb {
  struct Entry {
    std::string path;              ///< relative, without "./" in front or '/' at the end
    std::shared_ptr<Inode> inode;  ///< hard links share one
  };
  ControlData control;
  std::vector<Entry> entries;  ///< in the order of the archive
};

/// Bounds against archives made to exhaust the machine; far above what any package of Debian needs.
struct DebLimits {
  std::uint64_t control_size = 64ull << 20;  ///< bytes of all control files
  std::uint64_t data_size = 8ull << 30;      ///< bytes of all files
  std::uint64_t entries = 1'000'000;
};

/// Reads a .deb (deb(5), format 2.x; control.tar and data.tar plain or compressed by gzip, xz or zstd).
/// Nothing of it is run, nothing is written but the spool, and memory does not grow with the contents.
/// Owners, modes (setuid included), times, extended attributes and hard links are kept. The caller has
/// checked the file's digest.
///
/// Errors (ErrorKind::integrity, with the package file's name as a note): not a .deb, truncated, a bad
/// checksum inside; a path that is absolute, has "..", an empty component, control characters or too long
/// names; an entry below a symlink or file of the same package; a path twice; a hard link to nothing; a
/// device, pipe or socket; a sparse file; more than `limits`. ErrorKind::io: cannot be opened, or the spool
/// cannot be written.
Result<UnpackedDeb> unpack_deb(const std::filesystem::path& path, Spool& spool, const DebLimits& limits = {});

/// The control data of a .deb alone, without its files: takes a moment. Errors: as of unpack_deb.
Result<ControlData> read_deb_control(const std::filesystem::path& path, const DebLimits& limits = {});

}  // namespace mailstead::rootfs
