// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "disk/disk.hpp"
#include "image/records.hpp"
#include "verify/gpt.hpp"
#include "verify/places.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

/// Adds a finding for each run of bytes in which `found` is not `expected`, which lie at `offset` of the disk
/// and have the same size. Differences less than a sector apart and in one place are one run.
void add_differences(std::uint64_t offset, std::string_view expected, std::string_view found,
                     const Places& places, Check& check);

/// Adds `finding`, with sizes and digests, if a part is not the one that was recorded.
void check_part(const image::PublicPart& recorded, std::uint64_t size, const std::string& sha256,
                Finding finding, Check& check);

/// Adds a finding for each run of bytes other than zero in `extent`. Errors: those of disk::Disk::find_data.
Status expect_empty(const disk::Disk& disk, disk::Extent extent, const Places& places, Check& check);

/// Compares an image with another, byte by byte: all of both, or, where one of them is on a larger disk or
/// that of a machine, the image in it and both copies of its table. `places` is the map of `reference`.
/// Errors: ErrorKind::io, ErrorKind::interrupted.
Result<Check> compare_disks(const disk::Disk& image, const Contents& contents, const disk::Disk& reference,
                            const Contents& expected, const Places& places, Reporter& reporter);

/// The first bytes in hexadecimal: "1f 8b 08 … (4096 bytes)".
std::string hexadecimal(std::string_view bytes);

}  // namespace mailstead::verify
