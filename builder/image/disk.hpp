// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/image.hpp"
#include "image/new_file.hpp"
#include "image/partitions.hpp"
#include "tools/toolbox.hpp"

namespace mailstead::image {

/// Code in a master boot record ends here: the disk signature and the partition table follow.
inline constexpr std::size_t kBootCodeSize = 440;

/// A disk image that is being written. What is not filled stays empty: slot B, which the first update writes.
/// Slots A and B only, no data partition (made at first boot).
class NewDisk {
 public:
  /// A sparse file in the folder of `out` with the partitions of `layout`. Disk and partition GUIDs derive
  /// from `hostname`. Errors: the folder cannot be written, or has no room for `needed` bytes
  /// (ErrorKind::io).
  static Result<NewDisk> create(const Layout& layout, const std::string& hostname,
                                const tools::Toolbox& toolbox, const std::filesystem::path& out,
                                std::uint64_t needed);

  /// Copies the file system in `image` to a partition. Errors: it does not fit (ErrorKind::usage);
  /// ErrorKind::io.
  Status fill(PartitionNumber partition, const std::filesystem::path& image);

  /// Puts code (kBootCodeSize bytes) into the master boot record.
  Status add_boot_code(const std::filesystem::path& code);

  /// Puts the record of the disk where it belongs. Errors: it has no room there (ErrorKind::internal);
  /// ErrorKind::io.
  Status add_record(std::string_view record);

  /// Makes it durable and names it `out`, which is old or new, never half-written. Only its owner can read
  /// it: an image holds private keys and password hashes.
  Status keep(const std::filesystem::path& out) { return file_.keep(out); }

 private:
  NewDisk(NewFile file, std::vector<Partition> partitions)
      : file_(std::move(file)), partitions_(std::move(partitions)) {}
  const Partition& at(PartitionNumber number) const { return partition_of(partitions_, number); }

  NewFile file_;
  std::vector<Partition> partitions_;
};

/// How many bytes files take on a disk together, holes not counted.
std::uint64_t allocated_bytes(const std::vector<std::filesystem::path>& files);

}  // namespace mailstead::image
