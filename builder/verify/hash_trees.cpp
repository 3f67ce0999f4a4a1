// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/hash_trees.hpp"

#include <fmt/format.h>

#include "crypto/digest.hpp"
#include "disk/verity.hpp"
#include "verify/squashfs.hpp"
#include "verify/verity.hpp"

namespace mailstead::verify {
namespace {

using disk::Disk;
using disk::kVerityBlock;

/// What a word of the kernel's command line starts with is followed by.
std::string argument(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(" " + std::string(key));
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + 1 + key.size());
  return std::string(text.substr(0, text.find_first_of(" ,\n")));
}

std::uint64_t to_number(const std::string& text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > (1ull << 50)) return 0;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

}  // namespace

std::uint64_t HashTree::end() const {
  return size + kVerityBlock + disk::tree_size(size / kVerityBlock);
}

HashTree find_tree(const Disk& disk, std::string_view slot_config, disk::Extent partition,
                   std::string_view hash_key, std::string_view options_key) {
  HashTree tree{argument(slot_config, hash_key), 0};
  for (const std::uint64_t size :
       {to_number(argument(slot_config, options_key)), squashfs_padded_size(disk, partition)}) {
    if (size == 0 || size % kVerityBlock != 0 || size > partition.size ||
        HashTree{{}, size}.end() > partition.size)
      continue;
    tree.size = size;
    const auto superblock = disk.read(partition.start + size, kVerityBlock);
    if (superblock && superblock->starts_with("verity")) break;
  }
  return tree;
}

Result<HashTree> check_root_tree(const Disk& disk, std::string_view slot_config,
                                 const image::Partition& partition, const Places& places, Check& check) {
  HashTree tree = find_tree(disk, slot_config, {partition.start, partition.size},
                            "roothash=", "systemd.verity_root_options=hash-offset=");
  if (tree.size == 0) {
    check.add({"dm-verity: superblock",
               partition.label,
               {},
               partition.start,
               "a file system with a hash tree",
               "none"});
    return tree;
  }
  // Without the record the salt is not known yet: the one that is there, whatever else the superblock says.
  // All of it is compared later.
  TRY(const std::string superblock, disk.read(partition.start + tree.size, kVerityBlock));
  const std::string salt = superblock.substr(88, 32);
  VerityPlace place{{partition.start, tree.size},
                    tree.root_hash,
                    crypto::to_hex(reinterpret_cast<const std::uint8_t*>(salt.data()), salt.size()),
                    partition.label};
  // If the tree is sound and ends in another hash, it is the command line that is wrong, and found there.
  TRY(const std::string top, disk.read(place.data.end() + kVerityBlock, kVerityBlock));
  const std::string actual = crypto::sha256_hex(salt + top);
  if (actual != tree.root_hash) {
    Check trial;
    VerityPlace other = place;
    other.root_hash = actual;
    TRY(const std::uint64_t blocks, check_verity(disk, other, places, trial));
    const bool clean = top.find_first_not_of('\0', disk::top_digests(blocks) * 32) == std::string::npos;
    if (trial.findings.empty() && clean)
      tree.root_hash = actual;
    else if (!crypto::is_sha256_hex(tree.root_hash))
      tree.root_hash = std::string(64, '0');
    place.root_hash = tree.root_hash;
  }
  TRY(const std::uint64_t blocks, check_verity(disk, place, places, check));
  check.counted = fmt::format("{} blocks under the root hash", blocks);
  return tree;
}

}  // namespace mailstead::verify
