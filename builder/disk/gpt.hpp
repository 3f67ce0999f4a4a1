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

/// A partition table, by whichever of its copies has checksums that hold, the first one rather.
struct Table {
  std::string entries;    ///< all kTableEntries of them
  std::string disk_guid;  ///< 16 bytes
  /// Bytes from the start of the disk to the end of the second copy: the disk for which it was written,
  /// though an image may have been copied onto a larger one since.
  std::uint64_t end = 0;
};

/// Errors (ErrorKind::integrity): neither copy is whole.
Result<Table> read_table(const Disk& disk);

/// The partitions of a disk, in the order of places. Errors (ErrorKind::integrity): those of read_table; a
/// partition that is not on the disk or overlaps another one.
Result<std::vector<Partition>> read_partitions(const Disk& disk);
/// The same of a table that has been read from it.
Result<std::vector<Partition>> partitions_in(const Table& table, const Disk& disk);

/// CRC-32 as GPT has it (ISO 3309, reflected, polynomial 0x04c11db7).
std::uint32_t crc32(std::string_view bytes);

}  // namespace mailstead::disk
