// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "disk/gpt.hpp"
#include "image/partitions.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

/// The two copies of a partition table as they have to lie on a disk. A writer's own program made those on
/// the disk; these are put together here, so that neither can be wrong alone.
struct TableBytes {
  std::string first;   ///< sectors 0 to 33; zero where the master boot record's code is
  std::string second;  ///< the last 33 sectors
};
TableBytes encode_table(const disk::Table& table);

/// The table of an image whose partitions these are.
disk::Table table_of(const std::vector<image::Partition>& partitions, const std::string& disk_uuid,
                     std::uint64_t end);

/// What is on a disk: an image, and, on the disk of a machine, what is around it.
struct Contents {
  image::Layout layout;
  disk::Table table;
  std::uint64_t end = 0;                ///< bytes up to the end of the image's last partition
  std::optional<disk::Partition> data;  ///< made by the machine behind the image's partitions

  /// `fresh`, the table of the image alone, as a machine changes it: with its data partition, up to the end
  /// of this disk.
  disk::Table as_changed(disk::Table fresh) const;
  /// The table without a data partition.
  disk::Table table_alone() const;
  /// Behind the last partition of the image, what is still a part of it: empty on a disk of a machine that
  /// has run.
  disk::Extent tail() const;
  /// Whether `disk` holds an image and nothing else.
  bool is_image(const disk::Disk& disk) const;
  /// Bytes that are neither the image's nor in the data partition.
  std::uint64_t free_space(const disk::Disk& disk) const;
};

/// The disk may be larger than the image, and that of a machine that has run. Errors (ErrorKind::integrity):
/// those of disk::read_partitions; a size that no image of ours has.
Result<Contents> read_contents(const disk::Disk& disk);

/// Holds both copies on the disk against what they have to be, each difference with its place.
Status check_table(const disk::Disk& disk, const disk::Table& expected, Check& check);

}  // namespace mailstead::verify
