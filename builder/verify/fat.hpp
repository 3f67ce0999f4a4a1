// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"

namespace mailstead::verify {

/// What a boot partition's file system is made from.
struct FatContent {
  std::uint64_t size = 0;       ///< of the partition, bytes
  std::string label;            ///< 11 characters at most
  std::uint32_t volume_id = 0;  ///< see image::fat_volume_id
  std::int64_t time = 0;        ///< of the files, seconds since the epoch
  /// Names and sizes in the order in which they were written: lower case, eight characters and three at most.
  std::vector<std::pair<std::string, std::uint64_t>> files;
};

/// All of a FAT32 file system but what is in its files and the zeros behind. Drivers read the same boot
/// sector differently (GRUB takes a file system for FAT16 whose field for FAT16's tables is not zero, where
/// others count clusters): so it is not enough that one reader finds what should be there. As mkfs.fat(8) and
/// mcopy(1) have made the bytes on the disk, these are put together here.
struct FatBytes {
  std::string reserved;             ///< the sectors in front of the tables
  std::string table;                ///< each of the two copies, which follow
  std::string directory;            ///< the cluster of the root directory, which follows them
  std::vector<disk::Extent> files;  ///< the clusters of each, from the start of the file system
  std::uint64_t used = 0;           ///< bytes up to the end of the last file's clusters
  std::uint64_t directory_at() const { return reserved.size() + 2 * table.size(); }
};

/// Puts it together (Microsoft FAT specification 1.03, 2000). Errors (ErrorKind::integrity): files that have
/// no room, more of them than the directory has entries, a size for which there is no FAT32.
Result<FatBytes> encode_fat(const FatContent& content);

}  // namespace mailstead::verify
