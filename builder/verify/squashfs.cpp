// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/squashfs.hpp"

#include <algorithm>

#include "disk/squashfs.hpp"
#include "disk/verity.hpp"

namespace mailstead::verify {
namespace {

constexpr std::uint64_t kNone = ~std::uint64_t{0};

std::uint64_t padded(std::uint64_t size) {
  return (size + disk::kVerityBlock - 1) / disk::kVerityBlock * disk::kVerityBlock;
}

}  // namespace

std::uint64_t squashfs_padded_size(const disk::Disk& disk, disk::Extent partition) {
  const auto superblock = disk::read_squashfs_superblock(disk, partition);
  return superblock ? padded(superblock->used) : 0;
}

std::vector<std::pair<disk::Extent, std::string>> squashfs_regions(const disk::Disk& disk,
                                                                   disk::Extent partition) {
  const auto superblock = disk::read_squashfs_superblock(disk, partition);
  if (!superblock) return {};
  const std::uint64_t start = partition.start;
  const std::uint64_t used = superblock->used;
  // The fragment, export and id tables are found by an index behind their blocks, whose first entry is the
  // place of the first block.
  const auto begin_of = [&](std::uint64_t index) -> std::uint64_t {
    if (index >= used) return kNone;
    const auto first = disk.read(start + index, 8);
    return first ? disk::little_endian(*first, 0, 8) : kNone;
  };
  std::vector<std::pair<std::uint64_t, const char*>> tables{
      {0, "squashfs: superblock"},
      {disk::kSquashfsSuperblockSize, "squashfs: data"},
      {superblock->inode_table, "squashfs: inode table"},
      {superblock->directory_table, "squashfs: directory table"},
      {begin_of(superblock->fragment_table), "squashfs: fragment table"},
      {begin_of(superblock->export_table), "squashfs: export table"},
      {begin_of(superblock->id_table), "squashfs: id table"}};
  std::erase_if(tables, [&](const auto& table) { return table.first >= used; });
  std::sort(tables.begin(), tables.end());
  std::vector<std::pair<disk::Extent, std::string>> regions;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const std::uint64_t end = i + 1 < tables.size() ? tables[i + 1].first : used;
    regions.push_back({{start + tables[i].first, end - tables[i].first}, tables[i].second});
  }
  const std::uint64_t data = padded(used);
  regions.push_back({{start + used, data - used}, "squashfs: padding"});
  const std::uint64_t tree = disk::tree_size(data / disk::kVerityBlock);
  if (data + disk::kVerityBlock + tree <= partition.size) {
    regions.push_back({{start + data, disk::kVerityBlock}, "dm-verity: superblock"});
    regions.push_back({{start + data + disk::kVerityBlock, tree}, "dm-verity: hash tree"});
  }
  return regions;
}

}  // namespace mailstead::verify
