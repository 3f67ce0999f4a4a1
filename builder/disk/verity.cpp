// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/verity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "base/threads.hpp"
#include "crypto/digest.hpp"

namespace mailstead::disk {
namespace {

constexpr std::uint64_t kDigest = 32;

/// At once. Two processors are what most have; more than some are not faster than the disk.
constexpr std::uint64_t kParts = 4;

/// Of one block after the other.
std::string digests_of(std::string_view blocks, std::string_view salt) {
  std::string digests;
  for (; !blocks.empty(); blocks.remove_prefix(kVerityBlock))
    digests += verity_digest(salt, blocks.substr(0, kVerityBlock));
  return digests;
}

Result<std::string> digests_of(const Disk& disk, Extent extent, std::string_view salt) {
  const std::string zeros(kVerityBlock, '\0');
  const std::string of_zeros = verity_digest(salt, zeros);
  std::string digests;
  CHECK_OK(disk.stream(extent, [&](std::uint64_t, std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(kVerityBlock)) {
      // A hostile image of holes would take long to hash.
      const std::string_view block = bytes.substr(0, kVerityBlock);
      digests += block == zeros ? of_zeros : verity_digest(salt, block);
    }
    return ok();
  }));
  return digests;
}

}  // namespace

std::vector<std::uint64_t> verity_levels(std::uint64_t blocks) {
  constexpr std::uint64_t kFanOut = kVerityBlock / kDigest;
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

Result<std::string> verity_root_hash(const Disk& disk, Extent data) {
  if (data.size > kMostDisk)
    return fail(ErrorKind::integrity, fmt::format("{} bytes under a hash tree are too many", data.size));
  TRY(const VeritySuperblock superblock, read_verity_superblock(disk, data.end()));
  const std::uint64_t blocks = data.size / kVerityBlock;
  if (blocks == 0 || data.size % kVerityBlock != 0 || superblock.data_blocks != blocks)
    return fail(ErrorKind::integrity,
                fmt::format("the dm-verity hash tree is over {} blocks, and there are {} in front of it",
                            superblock.data_blocks, blocks));
  std::vector<std::future<Result<std::string>>> running;
  const std::uint64_t parts = std::min<std::uint64_t>(kParts, blocks);
  for (std::uint64_t part = 0; part < parts; ++part) {
    const std::uint64_t first = blocks * part / parts;
    const std::uint64_t end = blocks * (part + 1) / parts;
    const Extent extent{data.start + first * kVerityBlock, (end - first) * kVerityBlock};
    running.push_back(
        beside([&disk, &superblock, extent] { return digests_of(disk, extent, superblock.salt); }));
  }
  std::string level;
  Status all = ok();
  for (auto& one : running) {
    const auto digests = one.get();
    if (digests)
      level += *digests;
    else
      all = fail(digests.error());
  }
  CHECK_OK(all);
  // The digest of a single block is the root hash: there is no block of hashes then.
  while (level.size() > kDigest) {
    level.resize((level.size() + kVerityBlock - 1) / kVerityBlock * kVerityBlock, '\0');
    level = digests_of(level, superblock.salt);
  }
  return crypto::to_hex(reinterpret_cast<const std::uint8_t*>(level.data()), level.size());
}

}  // namespace mailstead::disk
