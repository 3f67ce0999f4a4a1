// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::inspect {

/// A partition as the table of a disk image has it.
struct Partition {
  int number = 0;
  std::string label;
  std::string type;         ///< type GUID, upper case
  std::string uuid;         ///< lower case
  std::uint64_t start = 0;  ///< bytes
  std::uint64_t size = 0;   ///< bytes
};

/// What `sfdisk --json` printed of a disk of `disk_size` bytes, in the order of places on the disk. Errors
/// (ErrorKind::integrity): another format, no GPT, a partition that is not on the disk or overlaps another
/// one.
Result<std::vector<Partition>> parse_partition_table(std::string_view json, std::uint64_t disk_size);

/// The table of a disk image, read by the host's sfdisk(8). Errors: those of parse_partition_table;
/// ErrorKind::tool.
Result<std::vector<Partition>> read_partition_table(const std::filesystem::path& image,
                                                    std::uint64_t disk_size);

}  // namespace mailstead::inspect
