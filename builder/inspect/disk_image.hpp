// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "disk/gpt.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::inspect {

using disk::Partition;

/// What a kernel or an initrd may have at most, bytes, whatever the image says of its partition.
inline constexpr std::uint64_t kMostBootFile = 256u << 20;

/// A disk image with its partitions, open for reading. Everything in it is taken as hostile. Thread-safe.
class DiskImage {
 public:
  /// The disk may be that of a running appliance, with a data partition of any size. Errors: ErrorKind::io;
  /// those of disk::read_partitions; the other partitions have more than disk::kMostDisk together.
  static Result<DiskImage> open(const std::filesystem::path& path);

  const disk::Disk& disk() const { return disk_; }
  const std::vector<Partition>& partitions() const { return partitions_; }
  /// The first partition called `label`. Errors: ErrorKind::integrity if there is none.
  Result<Partition> partition(std::string_view label) const;

  /// Those of disk::read_squashfs and disk::read_fat_file, with errors that name the partition.
  Result<rootfs::FileTree> read_squashfs(const Partition& partition,
                                         const std::vector<std::string>& folders = {}) const;
  Result<std::string> read_fat_file(const Partition& partition, std::string_view path,
                                    std::uint64_t limit) const;

 private:
  DiskImage(disk::Disk disk, std::vector<Partition> partitions)
      : disk_(std::move(disk)), partitions_(std::move(partitions)) {}
  disk::Disk disk_;
  std::vector<Partition> partitions_;
};

}  // namespace mailstead::inspect
