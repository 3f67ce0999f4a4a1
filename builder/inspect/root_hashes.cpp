// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/root_hashes.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/printable.hpp"
#include "disk/squashfs.hpp"
#include "disk/verity.hpp"
#include "image/image.hpp"

namespace mailstead::inspect {
namespace {

/// The file system in front of the hash tree that `options` (veritytab(5)) place.
Result<disk::Extent> data_of(const DiskImage& image, const Partition& partition, std::string_view options) {
  constexpr std::string_view kOffset = "hash-offset=";
  const auto start = options.find(kOffset);
  if (start == std::string_view::npos)
    return fail(ErrorKind::integrity, "the kernel's command line does not say where its hash tree is");
  options.remove_prefix(start + kOffset.size());
  std::uint64_t offset = 0;
  std::from_chars(options.data(), options.data() + options.size(), offset);
  if (offset >= partition.size) return fail(ErrorKind::integrity, "its hash tree is not in its partition");
  // What the hash does not cover is not in the file system that the machine sees, and must not be shown.
  TRY(const auto superblock, disk::read_squashfs_superblock(image.disk(), partition.extent()));
  if (superblock.used > offset)
    return fail(ErrorKind::integrity,
                fmt::format("it has {} bytes, and its hash tree begins at {}", superblock.used, offset));
  return disk::Extent{partition.start, offset};
}

Result<std::string> measure(const DiskImage& image, const char* label, std::string_view options) {
  const auto measured = [&]() -> Result<std::string> {
    TRY(const Partition partition, image.partition(label));
    TRY(const disk::Extent data, data_of(image, partition, options));
    return disk::verity_root_hash(image.disk(), data);
  };
  auto hash = measured();
  if (!hash)
    return fail(
        std::move(hash.error()).with_note(fmt::format("computing the root hash of partition {}", label)));
  return hash;
}

}  // namespace

Result<RootHashes> measure_root_hashes(const DiskImage& image, std::size_t index, const Slot& slot) {
  RootHashes hashes;
  TRY(hashes.root, measure(image, image::kRootLabels[index], slot.argument("systemd.verity_root_options")));
  TRY(hashes.usr, measure(image, image::kUsrLabels[index], slot.argument("systemd.verity_usr_options")));
  return hashes;
}

std::vector<std::string> hash_mismatches(const Slot& slot) {
  std::vector<std::string> mismatches;
  const auto compare = [&](const char* what, const std::string& started, const std::string& measured) {
    if (started != measured)
      mismatches.push_back(fmt::format("{}: the machine would be started with {}, its bytes say {}", what,
                                       started.empty() ? "none" : printable(started), measured));
  };
  if (!slot.measured) return mismatches;
  compare("root hash", slot.root_hash, slot.measured->root);
  compare("usr hash", slot.usr_hash, slot.measured->usr);
  return mismatches;
}

}  // namespace mailstead::inspect
