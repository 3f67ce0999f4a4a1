// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/verity.hpp"

#include "crypto/digest.hpp"

namespace mailstead::disk {

std::vector<std::uint64_t> verity_levels(std::uint64_t blocks) {
  constexpr std::uint64_t kFanOut = kVerityBlock / 32;
  std::vector<std::uint64_t> levels;
  do {
    blocks = blocks / kFanOut + (blocks % kFanOut != 0 ? 1 : 0);  // the usual sum could overflow
    levels.push_back(blocks);
  } while (blocks > 1);
  return levels;
}

std::uint64_t tree_size(std::uint64_t blocks) {
  std::uint64_t sum = 0;
  for (const std::uint64_t level : verity_levels(blocks)) sum += level;
  return sum * kVerityBlock;
}

std::uint64_t top_digests(std::uint64_t blocks) {
  const auto levels = verity_levels(blocks);
  return levels.size() == 1 ? blocks : levels[levels.size() - 2];
}

std::string verity_digest(std::string_view salt, std::string_view block) {
  crypto::Sha256 hash;
  hash.update(salt);
  hash.update(block);
  const crypto::Sha256Digest digest = hash.finish();
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Result<VeritySuperblock> read_verity_superblock(const Disk& disk, std::uint64_t offset) {
  constexpr std::uint64_t kSize = 512;
  constexpr std::uint64_t kMostSalt = 256;
  TRY(const std::string bytes, disk.read(offset, kSize));
  const auto number = [&](std::size_t at, std::size_t size) { return little_endian(bytes, at, size); };
  const std::uint64_t salt_size = number(80, 2);
  if (!bytes.starts_with(std::string_view("verity\0\0", 8)) || number(8, 4) != 1 || number(12, 4) != 1 ||
      bytes.compare(32, 7, "sha256\0", 7) != 0 || number(64, 4) != kVerityBlock ||
      number(68, 4) != kVerityBlock || salt_size > kMostSalt)
    return fail(ErrorKind::integrity, "there is no dm-verity hash tree");
  return VeritySuperblock{number(72, 8), bytes.substr(88, salt_size)};
}

Result<std::string> verity_root_hash(const Disk& disk, std::uint64_t offset) {
  TRY(const VeritySuperblock superblock, read_verity_superblock(disk, offset));
  // The tree begins in the next block, with its top.
  TRY(const std::string top, disk.read(offset + kVerityBlock, kVerityBlock));
  const std::string digest = verity_digest(superblock.salt, top);
  return crypto::to_hex(reinterpret_cast<const std::uint8_t*>(digest.data()), digest.size());
}

}  // namespace mailstead::disk
