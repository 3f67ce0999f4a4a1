// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "disk/disk.hpp"
#include "image/partitions.hpp"

namespace mailstead::verify {

/// What a byte of a disk belongs to.
struct Place {
  std::string structure;
  std::string partition;  ///< its label; empty outside of any
  std::string path;       ///< of the file on a FAT partition whose byte it is
};

/// A map of a disk. To find a place takes the logarithm of their number: two images of different bases differ
/// in millions of bytes.
class Places {
 public:
  /// What every disk of this size has in front of and behind its partitions.
  static Places outside_partitions(std::uint64_t disk_size);

  /// A whole image whose second copy of the table ends at `table_end`: the partitions, and in those of slots
  /// what their own tables say. A partition whose tables cannot be read is one place.
  static Places of(const disk::Disk& disk, const std::vector<image::Partition>& partitions,
                   std::uint64_t table_end);

  /// Names an extent. Later names go before earlier ones.
  void add(disk::Extent extent, Place place);

  const Place& at(std::uint64_t offset) const;

 private:
  /// Cuts the region in two in which `offset` lies, if it does not start there.
  void cut(std::uint64_t offset);

  struct Region {
    std::uint64_t end = 0;
    std::size_t name = 0;  ///< index into names_
  };
  std::map<std::uint64_t, Region> regions_;  ///< by their starts; none overlaps another
  std::vector<Place> names_;
};

}  // namespace mailstead::verify
