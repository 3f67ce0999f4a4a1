// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "image/records.hpp"
#include "inspect/appliance.hpp"

namespace mailstead::inspect {

/// What is public of an image, by its own bytes.
struct MeasuredPublicPart {
  image::PublicDigests measured;
  std::vector<std::string> mismatches;  ///< a sentence each: what the image records and its bytes are not
};

/// Hashes the public parts of an image: those of the slot, and those of the disk, which may be of an earlier
/// base, and holds both root hashes on the kernel's command line against the
/// contents. Which parts there are, and the sizes of those whose ends cannot be seen (boot code), come from
/// the image's records. Errors: ErrorKind::integrity for a part that is not there or not known; those of
/// measure_root_hashes.
Result<MeasuredPublicPart> measure_public_part(const DiskImage& image, const Appliance& appliance);

}  // namespace mailstead::inspect
