// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::disk {

inline constexpr std::uint64_t kSquashfsSuperblockSize = 96;  ///< bytes

/// What the superblock of a squashfs 4.0 says (Documentation/filesystems/squashfs.rst of Linux). Places are
/// bytes from the start of the file system, and any number: only `used` has been looked at.
struct SquashfsSuperblock {
  std::uint64_t used = 0;  ///< bytes of the whole file system
  std::uint64_t id_table = 0;
  std::uint64_t inode_table = 0;
  std::uint64_t directory_table = 0;
  std::uint64_t fragment_table = 0;
  std::uint64_t export_table = 0;
};

/// Reads the superblock at the start of `partition`. Errors (ErrorKind::integrity): there is none, or it
/// claims more than the partition has.
Result<SquashfsSuperblock> read_squashfs_superblock(const Disk& disk, Extent partition);

/// The squashfs at the start of `partition`, read by the host's sqfs2tar(1): an implementation which has no
/// code in common with the one that wrote it. Contents stay on disk. With `folders`, only these and what is
/// below them. Errors: those of read_squashfs_superblock; one of more than 2 GiB, or that unpacks to more; a
/// folder that is not there; what rootfs::read_tar refuses.
Result<rootfs::FileTree> read_squashfs(const Disk& disk, Extent partition,
                                       const std::vector<std::string>& folders = {});

}  // namespace mailstead::disk
