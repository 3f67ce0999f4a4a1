// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::mailtest {

/// A partition of a GUID partition table.
struct Partition {
  std::string name;
  std::uint64_t first_byte = 0;
  std::uint64_t bytes = 0;
};

/// Reads a table from the first 34 sectors of a disk of 512-byte sectors (UEFI 2.10 section 5.3). Any bytes
/// give partitions or ErrorKind::integrity.
Result<std::vector<Partition>> parse_gpt(std::string_view disk_start);

/// The place of the data partition on the disk that guests of the qcow2 file `overlay` see. Copies go to
/// `folder` and are removed again. Errors (ErrorKind::integrity): no such partition, or no table.
Result<Partition> find_data_partition(const std::filesystem::path& overlay,
                                      const std::filesystem::path& folder);

/// Copies `size` bytes, from `offset` on, of the disk that guests of `overlay` see to the file `to`; holes
/// stay holes.
Status copy_out(const std::filesystem::path& overlay, std::uint64_t offset, std::uint64_t size,
                const std::filesystem::path& to);

/// Whether e2fsck(8), which may not repair anything, finds no error in the data partition's file system. The
/// appliance must have been shut down properly: a journal that has to be replayed is an error. Errors:
/// ErrorKind::integrity with what e2fsck said.
Status check_data_sound(const std::filesystem::path& overlay, const std::filesystem::path& folder);

/// Whether the partition table is in order and both its copies are where they belong (sfdisk(8)), the data
/// partition extends to the end of the disk, and its file system (dumpe2fs(8)) to the end of the partition.
/// Errors: ErrorKind::integrity with the sizes.
Status check_data_fills_disk(const std::filesystem::path& overlay, const std::filesystem::path& folder);

/// Writes a small raw disk to `file`: a partition table with one partition, called `label`, of the type of
/// /var, that holds an empty ext4.
Status make_disk_with_partition(const std::filesystem::path& file, const std::string& label);

}  // namespace mailstead::mailtest
