// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"

namespace mailstead::disk {

/// Sectors before the first and after the last that a partition may have: 128 entries of 128 bytes, a header,
/// and in front the protective master boot record (UEFI specification 2.10, 5.2.3 and 5.3).
inline constexpr std::uint64_t kTableSectors = 34;
inline constexpr std::uint64_t kTableEntries = 128;
inline constexpr std::uint64_t kTableEntrySize = 128;      ///< bytes
inline constexpr std::uint64_t kTableHeaderSize = 92;      ///< bytes of it that mean something
inline constexpr std::uint64_t kMasterBootCodeSize = 440;  ///< bytes at the start of the disk

/// A partition as the table of a disk has it.
struct Partition {
  int number = 0;           ///< 1 to 128
  std::string label;        ///< what is not ASCII as '?'
  std::string type;         ///< type GUID, upper case
  std::string uuid;         ///< lower case
  std::uint64_t start = 0;  ///< bytes
  std::uint64_t size = 0;   ///< bytes
  Extent extent() const { return {start, size}; }
};

/// The partitions of a disk, in the order of places, by whichever copy of the table has checksums that hold,
/// the first one rather. Errors (ErrorKind::integrity): neither copy is whole; a
/// partition that is not on the disk or overlaps another one.
Result<std::vector<Partition>> read_partitions(const Disk& disk);

/// CRC-32 as GPT has it (ISO 3309, reflected, polynomial 0x04c11db7).
std::uint32_t crc32(std::string_view bytes);

}  // namespace mailstead::disk
