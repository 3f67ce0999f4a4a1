// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "disk/disk.hpp"

namespace mailstead::disk {

/// SHA-256 of the bytes of `extent`, 64 lower-case digits. Errors: those of Disk::stream_data; it
/// has more than kMostDisk (ErrorKind::integrity).
Result<std::string> sha256_hex(const Disk& disk, Extent extent);

/// What of an extent is in use: from its start to the last block of 4096 bytes that is not zero.
struct Measured {
  std::uint64_t used = 0;  ///< bytes, 0 if it is empty
  std::string sha256;      ///< of these bytes
};

/// Reads the extent through; a hole at its end costs nothing. Errors: those of Disk::stream_data; what
/// is in use has more than kMostDisk (ErrorKind::integrity).
Result<Measured> measure(const Disk& disk, Extent extent);

}  // namespace mailstead::disk
