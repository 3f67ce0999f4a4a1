// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "image/verity.hpp"
#include "verify/disk.hpp"
#include "verify/places.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

inline constexpr std::uint64_t kVerityBlock = 4096;

/// Bytes of the hash tree over `blocks` blocks of data, without its superblock.
std::uint64_t tree_size(std::uint64_t blocks);

/// How many digests the block at the top of the tree over `blocks` blocks holds; zeros follow.
std::uint64_t top_digests(std::uint64_t blocks);

/// The block in front of a hash tree as veritysetup(8) writes it (cryptsetup wiki, DMVerity): format 1,
/// SHA-256, blocks of 4096 bytes.
std::string verity_superblock(const image::VerityIds& ids, std::uint64_t data_blocks);

/// A file system with a hash tree, in the disk.
struct VerityPlace {
  Extent data;            ///< a whole number of blocks; superblock and tree follow
  std::string root_hash;  ///< 64 hexadecimal digits: what is trusted
  std::string salt;       ///< likewise
  std::string label;      ///< of the partition
};

/// Computes the tree over again, from the root hash down: a block of the tree that its parent does not vouch
/// for is a finding, and then what it vouches for is not looked at; each block of data that is not vouched
/// for is one. Returns the number of blocks of data. Errors: those of Disk::read.
Result<std::uint64_t> check_verity(const Disk& disk, const VerityPlace& place, const Places& places,
                                   Check& check);

}  // namespace mailstead::verify
