// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"

namespace mailstead::disk {

/// A file or directory of a FAT file system.
struct FatEntry {
  std::string path;  ///< "EFI/BOOT/BOOTX64.EFI"; empty for the root directory
  bool directory = false;
  std::uint64_t size = 0;       ///< of a file, bytes
  std::vector<Extent> extents;  ///< its clusters, in the disk, in order
};

/// Where everything of a FAT32 file system lies in the disk.
struct FatVolume {
  std::uint64_t information_sector = 0;  ///< counted from the start of the file system
  std::uint64_t backup_sector = 0;
  std::array<Extent, 2> tables;
  Extent clusters;  ///< the area of all of them
  std::uint64_t free_clusters = 0;
  std::vector<FatEntry> entries;
};

/// Which of what a FAT32 file system has twice is to be believed.
struct FatCopies {
  bool backup_boot_sector = false;  ///< sector 6, where mkfs.fat(8) puts it, instead of sector 0
  bool second_table = false;
};

/// Reads the FAT32 file system in `partition` (Microsoft FAT specification 1.03, 2000). The bytes are
/// hostile: tables, chains, directories and names are bounded. Errors (ErrorKind::integrity): it is none.
Result<FatVolume> read_fat(const Disk& disk, Extent partition, FatCopies copies = {});

/// Reads it by the first copies in which it makes sense. Errors: those of the first.
Result<FatVolume> read_any_fat(const Disk& disk, Extent partition);

/// The content of a file. Errors: its size is more than its clusters hold, or than `limit` bytes; those of
/// Disk::read.
Result<std::string> read_fat_file(const Disk& disk, const FatEntry& file, std::uint64_t limit = kMostAtOnce);

/// The content of the file called `path`, in whatever case, of the file system in `partition`: the first one,
/// which is the one that firmware and GRUB take. Errors: no such file; those of read_any_fat and of
/// read_fat_file.
Result<std::string> read_fat_file(const Disk& disk, Extent partition, std::string_view path,
                                  std::uint64_t limit);

/// Hands on the content in blocks, in order, whatever its size. Errors: its size is more than its clusters
/// hold; those of Disk::stream.
Status stream_fat_file(const Disk& disk, const FatEntry& file,
                       const std::function<Status(std::string_view block)>& sink);

}  // namespace mailstead::disk
