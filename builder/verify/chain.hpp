// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "disk/disk.hpp"
#include "verify/gpt.hpp"
#include "verify/places.hpp"
#include "verify/report.hpp"
#include "verify/slot.hpp"

namespace mailstead::verify {

/// Follows what a disk says of itself, with nothing but the disk: each slot by its root hash (check_slot),
/// what is beside the slots by the record of the disk (check_machine_disk), and what is left has to be empty.
/// Adds a check for each of them to `report`, and to its unproved what nothing vouches for.
///
/// `contents` is what read_contents found; `places` the map of the image; `root_hash`, if it is not empty,
/// the one that the slot which is started first has to have (lower case). Errors: ErrorKind::integrity for
/// what is not laid out as an image at all, ErrorKind::io, ErrorKind::interrupted. Runs sqfs2tar(1), to read
/// the record.
///
/// Returns the slots that have been followed to their record; only if the report has passed is all of them
/// proved.
Result<std::vector<SlotFacts>> check_chain(const disk::Disk& disk, const Contents& contents,
                                           const Places& places, const std::string& root_hash,
                                           Reporter& reporter, Report& report);

}  // namespace mailstead::verify
