// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/partitions.hpp"
#include "verify/disk.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

/// Sectors before the first and after the last that a partition may have: 128 entries of 128 bytes, a header,
/// and in front the protective master boot record (UEFI specification 2.10, 5.2.3 and 5.3).
inline constexpr std::uint64_t kTableSectors = 34;

/// The two copies of a partition table as they have to lie on a disk. A writer's own program made those on
/// the disk; these are put together here, so that neither can be wrong alone.
struct TableBytes {
  std::string first;   ///< sectors 0 to 33; zero where the master boot record's code is
  std::string second;  ///< the last 33 sectors
};
TableBytes encode_table(const std::vector<image::Partition>& partitions, const std::string& disk_uuid,
                        std::uint64_t disk_size);

/// What a fresh image has at most, bytes: twenty times what the profiles ask for. Larger ones would only have
/// us read holes for hours.
inline constexpr std::uint64_t kMostDisk = std::uint64_t{16} << 30;

/// The sizes of the partitions, from whichever copy of the table has checksums that hold. Errors
/// (ErrorKind::integrity): neither has; a disk larger than kMostDisk; a size or a place that no image of
/// ours has.
Result<image::Layout> read_layout(const Disk& disk);

/// Holds both copies on the disk against what they have to be, each difference with its place.
Status check_table(const Disk& disk, const TableBytes& expected, Check& check);

/// CRC-32 as GPT has it (ISO 3309, reflected, polynomial 0x04c11db7).
std::uint32_t crc32(std::string_view bytes);

}  // namespace mailstead::verify
