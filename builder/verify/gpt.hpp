// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "image/partitions.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

/// The two copies of a partition table as they have to lie on a disk. A writer's own program made those on
/// the disk; these are put together here, so that neither can be wrong alone.
struct TableBytes {
  std::string first;   ///< sectors 0 to 33; zero where the master boot record's code is
  std::string second;  ///< the last 33 sectors
};
TableBytes encode_table(const std::vector<image::Partition>& partitions, const std::string& disk_uuid,
                        std::uint64_t disk_size);

/// The sizes of the partitions of a fresh image. Errors (ErrorKind::integrity): those of
/// disk::read_partitions; a size or a place that no image of ours has.
Result<image::Layout> read_layout(const disk::Disk& disk);

/// Holds both copies on the disk against what they have to be, each difference with its place.
Status check_table(const disk::Disk& disk, const TableBytes& expected, Check& check);

}  // namespace mailstead::verify
