// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "image/boot_state.hpp"
#include "verify/gpt.hpp"
#include "verify/places.hpp"
#include "verify/report.hpp"
#include "verify/slot.hpp"

namespace mailstead::verify {

/// What the disk says of its slots; a state that is damaged is as if it named slot A. Errors: those of
/// Disk::read.
Result<image::BootState> read_boot_state(const disk::Disk& disk,
                                         const std::vector<image::Partition>& partitions);

/// Whether the EFI system partition is as the record behind it says, whatever is in the place of the boot
/// state: that of a disk which an older or another program has made, or whose writing was interrupted, is
/// not. Errors: those of Disk::read.
Result<bool> esp_is_recorded(const disk::Disk& disk, const std::vector<image::Partition>& partitions);

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
