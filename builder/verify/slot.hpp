// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "image/partitions.hpp"
#include "image/records.hpp"
#include "verify/hash_trees.hpp"
#include "verify/places.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

/// What was found out about a slot.
struct SlotFacts {
  std::size_t slot = 0;  ///< 0 for A, 1 for B
  HashTree root;
  HashTree usr;
  std::string hostname;
  /// What it says of itself, if its root hash vouches for that.
  std::optional<image::SlotRecord> record;
  std::vector<disk::Extent> unused;  ///< what no structure of its partitions has for its own
};

/// Whether there is something in a slot: its boot partition begins with a boot sector.
Result<bool> is_filled(const disk::Disk& disk, const std::vector<image::Partition>& partitions,
                       std::size_t slot);

/// Follows what a slot says of itself, with nothing but its partitions: the kernel's command line names the
/// root hash, the hash tree vouches for the root file system, and the record in there for all else of it.
/// Adds a check for each to `report`. `root_hash`, if it is not empty, is the one that it has to have (lower
/// case). Errors: those of Disk::read; runs sqfs2tar(1), to read the record.
Result<SlotFacts> check_slot(const disk::Disk& disk, const std::vector<image::Partition>& partitions,
                             std::size_t slot, const Places& places, const std::string& root_hash,
                             Report& report);

}  // namespace mailstead::verify
