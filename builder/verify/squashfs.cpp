// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/squashfs.hpp"

#include <algorithm>
#include <string_view>

#include "verify/verity.hpp"

namespace mailstead::verify {
namespace {

constexpr std::uint64_t kNone = ~std::uint64_t{0};

/// Offsets in the superblock.
enum Field : std::size_t {
  kMagic = 0,
  kBytesUsed = 40,
  kIdTable = 48,
  kInodeTable = 64,
  kDirectoryTable = 72,
  kFragmentTable = 80,
  kExportTable = 88,
};

std::string superblock_of(const Disk& disk, std::uint64_t start, std::uint64_t room) {
  const auto bytes = disk.read(start, kSquashfsSuperblock);
  if (!bytes || !bytes->starts_with("hsqs")) return {};
  const std::uint64_t used = little_endian(*bytes, kBytesUsed, 8);
  return used >= kSquashfsSuperblock && used <= room ? *bytes : std::string();
}

}  // namespace

std::uint64_t squashfs_padded_size(const Disk& disk, std::uint64_t start, std::uint64_t room) {
  const std::string superblock = superblock_of(disk, start, room);
  if (superblock.empty()) return 0;
  return (little_endian(superblock, kBytesUsed, 8) + kVerityBlock - 1) / kVerityBlock * kVerityBlock;
}

std::vector<std::pair<Extent, std::string>> squashfs_regions(const Disk& disk, std::uint64_t start,
                                                             std::uint64_t room) {
  const std::string superblock = superblock_of(disk, start, room);
  if (superblock.empty()) return {};
  const std::uint64_t used = little_endian(superblock, kBytesUsed, 8);
  // The fragment, export and id tables are found by an index behind their blocks, whose first entry is the
  // place of the first block.
  const auto begin_of = [&](Field field) -> std::uint64_t {
    const std::uint64_t index = little_endian(superblock, field, 8);
    if (index >= used) return kNone;
    const auto first = disk.read(start + index, 8);
    return first ? little_endian(*first, 0, 8) : kNone;
  };
  std::vector<std::pair<std::uint64_t, const char*>> tables{
      {0, "squashfs: superblock"},
      {kSquashfsSuperblock, "squashfs: data"},
      {little_endian(superblock, kInodeTable, 8), "squashfs: inode table"},
      {little_endian(superblock, kDirectoryTable, 8), "squashfs: directory table"},
      {begin_of(kFragmentTable), "squashfs: fragment table"},
      {begin_of(kExportTable), "squashfs: export table"},
      {begin_of(kIdTable), "squashfs: id table"}};
  std::erase_if(tables, [&](const auto& table) { return table.first >= used; });
  std::sort(tables.begin(), tables.end());
  std::vector<std::pair<Extent, std::string>> regions;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const std::uint64_t end = i + 1 < tables.size() ? tables[i + 1].first : used;
    regions.push_back({{start + tables[i].first, end - tables[i].first}, tables[i].second});
  }
  const std::uint64_t padded = squashfs_padded_size(disk, start, room);
  regions.push_back({{start + used, padded - used}, "squashfs: padding"});
  const std::uint64_t tree = tree_size(padded / kVerityBlock);
  if (padded + kVerityBlock + tree <= room) {
    regions.push_back({{start + padded, kVerityBlock}, "dm-verity: superblock"});
    regions.push_back({{start + padded + kVerityBlock, tree}, "dm-verity: hash tree"});
  }
  return regions;
}

}  // namespace mailstead::verify
