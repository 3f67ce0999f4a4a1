// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "image/partitions.hpp"
#include "verify/places.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

/// A file system and its hash tree, as they lie at the start of their partition.
struct HashTree {
  std::string root_hash;
  std::uint64_t size = 0;  ///< of the data, bytes; 0 if there is none
  /// Everything: data, superblock and tree, bytes.
  std::uint64_t end() const;
};

/// Finds the tree in `partition` by the offset that the kernel's command line in `slot_config` (any bytes)
/// has behind `options_key` ("systemd.verity_usr_options=hash-offset="), or, if that is damaged, by what the
/// file system says of its size. Its root hash is what follows `hash_key` ("usrhash="): any text.
HashTree find_tree(const disk::Disk& disk, std::string_view slot_config, disk::Extent partition,
                   std::string_view hash_key, std::string_view options_key);

/// Finds the root file system in `partition`, with no other knowledge than `slot_config`, and adds to `check`
/// what its root hash does not vouch for. A tree that is sound under another root hash keeps that one: it is
/// the command line that is wrong then, which is found elsewhere. Errors: those of Disk::read.
Result<HashTree> check_root_tree(const disk::Disk& disk, std::string_view slot_config,
                                 const image::Partition& partition, const Places& places, Check& check);

}  // namespace mailstead::verify
