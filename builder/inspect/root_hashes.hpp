// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "inspect/appliance.hpp"

namespace mailstead::inspect {

/// Computes the root hashes of the file systems in slot `index` (0 or 1) from all of their blocks, as the
/// kernel would that is started with `command_line`: it says where the hash trees are. What the file systems
/// have beyond these blocks would not be seen by the machine. Errors (ErrorKind::integrity): there is no hash
/// tree, or it is not over all of its file system; those of disk::verity_root_hash.
Result<RootHashes> measure_root_hashes(const DiskImage& image, std::size_t index, const Slot& slot);

/// A sentence for each root hash on the kernel's command line that the contents, measured, do not have.
std::vector<std::string> hash_mismatches(const Slot& slot);

}  // namespace mailstead::inspect
