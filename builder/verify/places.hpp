// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/partitions.hpp"
#include "verify/disk.hpp"

namespace mailstead::verify {

/// What a byte of a disk belongs to.
struct Place {
  std::string structure;
  std::string partition;  ///< its label; empty outside of any
  std::string path;       ///< of the file on a FAT partition whose byte it is
};

/// A map of a disk.
class Places {
 public:
  /// What every disk of this size has in front of and behind its partitions.
  static Places outside_partitions(std::uint64_t disk_size);

  /// A whole image: the partitions, and in those of slot A what their own tables say. A partition whose
  /// tables cannot be read is one place.
  static Places of(const Disk& disk, const std::vector<image::Partition>& partitions);

  /// Names an extent. Later names go before earlier ones.
  void add(Extent extent, Place place) { regions_.push_back({extent, std::move(place)}); }

  const Place& at(std::uint64_t offset) const;

 private:
  struct Region {
    Extent extent;
    Place place;
  };
  std::vector<Region> regions_;
};

}  // namespace mailstead::verify
