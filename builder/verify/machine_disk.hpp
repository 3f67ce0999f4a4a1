// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "verify/gpt.hpp"
#include "verify/places.hpp"
#include "verify/report.hpp"
#include "verify/slot.hpp"

namespace mailstead::verify {

/// The slot that is started first, by what the EFI system partition says: 0 for A, also if it says nothing.
std::size_t first_slot(const disk::Disk& disk, const std::vector<image::Partition>& partitions);

/// Holds what is on a disk beside its slots against the record of the disk: the partition table, and what
/// starts the machine. A slot vouches for that record if the disk was made with the slot's base; if none
/// does, as on a disk whose slots have been updated since, that is said in the report's unproved. `slots` are
/// those that have been proved, not empty, each with its record. Errors: those of Disk::read.
Status check_machine_disk(const disk::Disk& disk, const Contents& contents,
                          const std::vector<SlotFacts>& slots, const Places& places, Report& report);

/// What is outside of the partitions and the table has to be empty, and so has `unused`.
Status check_empty(const disk::Disk& disk, const Contents& contents, const std::vector<disk::Extent>& unused,
                   const Places& places, Report& report);

}  // namespace mailstead::verify
