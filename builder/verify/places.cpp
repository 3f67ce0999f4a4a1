// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/places.hpp"

#include <iterator>
#include <utility>

#include "disk/fat.hpp"
#include "disk/gpt.hpp"
#include "disk/squashfs.hpp"
#include "verify/squashfs.hpp"

namespace mailstead::verify {
namespace {

using disk::Disk;
using disk::Extent;
using disk::kSectorSize;

void add_fat(const Disk& disk, const image::Partition& partition, std::uint64_t size, Places& places) {
  const auto volume = disk::read_any_fat(disk, {partition.start, size});
  if (!volume) return;
  const auto add = [&](Extent extent, std::string structure, std::string path = {}) {
    places.add(extent, {std::move(structure), partition.label, std::move(path)});
  };
  const auto sector = [&](std::uint64_t number) {
    return Extent{partition.start + number * kSectorSize, kSectorSize};
  };
  add({partition.start, volume->tables[0].start - partition.start}, "FAT: reserved sectors");
  add(sector(0), "FAT: boot sector");
  add(sector(volume->information_sector), "FAT: information sector");
  add(sector(volume->backup_sector), "FAT: backup of the boot sector");
  add(volume->tables[0], "FAT: first copy of the table");
  add(volume->tables[1], "FAT: second copy of the table");
  add(volume->clusters, "FAT: unused clusters");
  for (const disk::FatEntry& entry : volume->entries) {
    const char* structure = !entry.directory     ? "file"
                            : entry.path.empty() ? "FAT: root directory"
                                                 : "FAT: directory";
    for (const Extent& extent : entry.extents) add(extent, structure, entry.path);
  }
}

void add_squashfs(const Disk& disk, const image::Partition& partition, Places& places) {
  places.add({partition.start, partition.size}, {"unused space", partition.label, {}});
  places.add({partition.start, disk::kSquashfsSuperblockSize}, {"squashfs: superblock", partition.label, {}});
  for (const auto& [extent, structure] : squashfs_regions(disk, {partition.start, partition.size}))
    places.add(extent, {structure, partition.label, {}});
}

}  // namespace

Places Places::outside_partitions(std::uint64_t disk_size) {
  Places places;
  const std::uint64_t last = disk_size - kSectorSize;
  const std::uint64_t entries = (disk::kTableSectors - 2) * kSectorSize;
  places.add({0, disk_size}, {"unused space", {}, {}});
  places.add({0, kSectorSize}, {"master boot record: partition entry", {}, {}});
  places.add({0, disk::kMasterBootCodeSize}, {"master boot record: code", {}, {}});
  places.add({kSectorSize, kSectorSize}, {"first partition table: header", {}, {}});
  places.add({2 * kSectorSize, entries}, {"first partition table: entries", {}, {}});
  places.add({last - entries, entries}, {"second partition table: entries", {}, {}});
  places.add({last, kSectorSize}, {"second partition table: header", {}, {}});
  return places;
}

Places Places::of(const Disk& disk, const std::vector<image::Partition>& partitions,
                  std::uint64_t table_end) {
  Places places = outside_partitions(table_end);
  for (const image::Partition& partition : partitions) {
    places.add({partition.start, partition.size}, {"partition", partition.label, {}});
    switch (partition.number) {
      case image::kEspNumber:
        add_fat(disk, partition, partition.size - image::kDiskRecordRoom, places);
        places.add({image::disk_record_place(partition), image::kDiskRecordRoom},
                   {"record of the disk", partition.label, {}});
        break;
      case image::kBootNumberA:
        add_fat(disk, partition, partition.size, places);
        break;
      case image::kUsrNumberA:
      case image::kRootNumberA:
        add_squashfs(disk, partition, places);
        break;
      case image::kBootNumberB:
        places.add({partition.start, partition.size}, {"empty slot", partition.label, {}});
        add_fat(disk, partition, partition.size, places);
        break;
      case image::kUsrNumberB:
      case image::kRootNumberB:
        places.add({partition.start, partition.size}, {"empty slot", partition.label, {}});
        if (disk::read_squashfs_superblock(disk, {partition.start, partition.size}))
          add_squashfs(disk, partition, places);
        break;
      case image::kBiosNumber:
        places.add({partition.start, partition.size}, {"GRUB's core image", partition.label, {}});
        break;
      default:
        break;
    }
  }
  return places;
}

void Places::cut(std::uint64_t offset) {
  auto after = regions_.upper_bound(offset);
  if (after == regions_.begin()) return;
  auto& [start, region] = *std::prev(after);
  if (start == offset || region.end <= offset) return;
  regions_.emplace_hint(after, offset, region);
  region.end = offset;
}

void Places::add(Extent extent, Place place) {
  if (extent.size == 0) return;
  cut(extent.start);
  cut(extent.end());
  regions_.erase(regions_.lower_bound(extent.start), regions_.lower_bound(extent.end()));
  regions_[extent.start] = {extent.end(), names_.size()};
  names_.push_back(std::move(place));
}

const Place& Places::at(std::uint64_t offset) const {
  static const Place kBeyond{"beyond the disk", {}, {}};
  const auto after = regions_.upper_bound(offset);
  if (after == regions_.begin()) return kBeyond;
  const Region& region = std::prev(after)->second;
  return offset < region.end ? names_[region.name] : kBeyond;
}

}  // namespace mailstead::verify
