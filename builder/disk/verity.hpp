// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"

namespace mailstead::disk {

/// Of data and of hashes, bytes.
inline constexpr std::uint64_t kVerityBlock = 4096;

/// How many blocks each level of the hash tree over `blocks` blocks of data has, leaves first. A block of it
/// has the digests of 128 blocks.
std::vector<std::uint64_t> verity_levels(std::uint64_t blocks);

/// Bytes of the hash tree over `blocks` blocks of data, without its superblock.
std::uint64_t tree_size(std::uint64_t blocks);

/// How many digests the block at the top of the tree over `blocks` blocks holds; zeros follow.
std::uint64_t top_digests(std::uint64_t blocks);

/// The 32 bytes that stand for a block of data or of the tree: SHA-256 of salt and block, both as bytes.
std::string verity_digest(std::string_view salt, std::string_view block);

/// What the block in front of a hash tree says that veritysetup(8) has written (struct verity_sb of
/// cryptsetup, lib/verity/verity.c).
struct VeritySuperblock {
  std::uint64_t data_blocks = 0;
  std::string salt;  ///< bytes, 256 at most
};

/// Reads the superblock at `offset` of the disk. Errors (ErrorKind::integrity): there is none, or it is not
/// of format 1 with SHA-256 and blocks of kVerityBlock.
Result<VeritySuperblock> read_verity_superblock(const Disk& disk, std::uint64_t offset);

/// The root hash that the blocks of `data` have, 64 lower-case digits: computed from each of them, under the
/// salt in the superblock that follows; nothing else of the tree there is read. Errors: those of
/// read_verity_superblock and of Disk::stream; the tree is over other blocks than these, or `data` is none or
/// more than kMostDisk (ErrorKind::integrity).
Result<std::string> verity_root_hash(const Disk& disk, Extent data);

}  // namespace mailstead::disk
