// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "verify/disk.hpp"

namespace mailstead::verify {

inline constexpr std::uint64_t kSquashfsSuperblock = 96;  ///< bytes

/// The tables of the squashfs 4.0 that starts at `start`, by their places in the disk
/// (Documentation/filesystems/squashfs.rst of Linux), and those of the hash tree behind it, at the next
/// multiple of 4096. Empty if it is none; a table that makes no sense is left out. At most `room` bytes.
std::vector<std::pair<Extent, std::string>> squashfs_regions(const Disk& disk, std::uint64_t start,
                                                             std::uint64_t room);

/// Where a hash tree lies if the squashfs at `start` says the truth of its size, bytes from there; 0 if there
/// is no squashfs.
std::uint64_t squashfs_padded_size(const Disk& disk, std::uint64_t start, std::uint64_t room);

}  // namespace mailstead::verify
