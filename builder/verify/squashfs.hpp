// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "disk/disk.hpp"

namespace mailstead::verify {

/// The tables of the squashfs 4.0 at the start of `partition`, by their places in the disk, and those of the
/// hash tree behind it, at the next multiple of 4096. Empty if it is none; a table that makes no sense is
/// left out.
std::vector<std::pair<disk::Extent, std::string>> squashfs_regions(const disk::Disk& disk,
                                                                   disk::Extent partition);

/// Where a hash tree lies if the squashfs at the start of `partition` says the truth of its size, bytes from
/// there; 0 if there is no squashfs.
std::uint64_t squashfs_padded_size(const disk::Disk& disk, disk::Extent partition);

}  // namespace mailstead::verify
