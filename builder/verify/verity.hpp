// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "image/verity.hpp"
#include "verify/places.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

/// The block in front of a hash tree as veritysetup(8) writes it (cryptsetup wiki, DMVerity): format 1,
/// SHA-256, blocks of 4096 bytes.
std::string verity_superblock(const image::VerityIds& ids, std::uint64_t data_blocks);

/// A file system with a hash tree, in the disk.
struct VerityPlace {
  disk::Extent data;      ///< a whole number of blocks; superblock and tree follow
  std::string root_hash;  ///< 64 hexadecimal digits: what is trusted
  std::string salt;       ///< likewise
  std::string label;      ///< of the partition
};

/// Computes the tree over again, from the root hash down: a block of the tree that its parent does not vouch
/// for is a finding, and then what it vouches for is not looked at; each block of data that is not vouched
/// for is one. Returns the number of blocks of data. Errors: those of disk::Disk::read.
Result<std::uint64_t> check_verity(const disk::Disk& disk, const VerityPlace& place, const Places& places,
                                   Check& check);

}  // namespace mailstead::verify
