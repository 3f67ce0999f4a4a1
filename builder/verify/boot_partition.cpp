// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/boot_partition.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "disk/digest.hpp"
#include "image/image.hpp"
#include "image/records.hpp"
#include "verify/compare.hpp"
#include "verify/fat.hpp"

namespace mailstead::verify {
namespace {

using disk::Disk;
using disk::FatCopies;
using disk::FatEntry;
using disk::FatVolume;

using image::kInitrdFile;
using image::kKernelFile;

constexpr std::uint64_t kMostSlotConfig = 64 * 1024;

std::optional<std::string> read_slot_config(const Disk& disk, const FatVolume& volume, std::size_t slot) {
  for (const FatEntry& entry : volume.entries) {
    if (entry.directory || entry.path != image::slot_config_file(slot) || entry.size > kMostSlotConfig)
      continue;
    if (auto content = disk::read_fat_file(disk, entry)) return *std::move(content);
  }
  return std::nullopt;
}

Status check_digest(const Disk& disk, std::uint64_t start, const image::PublicPart& recorded, Finding finding,
                    Check& check) {
  TRY(const std::string digest, disk::sha256_hex(disk, {start, recorded.size}));
  check_part(recorded, recorded.size, digest, std::move(finding), check);
  return ok();
}

}  // namespace

BootPartition BootPartition::read(const Disk& disk, const image::Partition& partition, std::size_t slot) {
  BootPartition boot;
  boot.partition_ = partition;
  boot.slot_ = slot;
  for (const FatCopies copies : {FatCopies{}, {false, true}, {true, false}, {true, true}}) {
    auto volume = disk::read_fat(disk, {partition.start, partition.size}, copies);
    if (!volume) continue;
    auto config = read_slot_config(disk, *volume, slot);
    if (!config) continue;
    const bool makes_sense = config->starts_with("linux ");
    if (makes_sense || !boot.volume_) {
      boot.volume_ = *std::move(volume);
      boot.slot_config_ = *std::move(config);
    }
    if (makes_sense) break;
  }
  return boot;
}

Status BootPartition::check(const Disk& disk, const BootExpectation& expected, const Places& places,
                            Check& check) const {
  const std::string& label = partition_.label;
  if (!volume_) {
    check.add({"FAT: boot sector",
               label,
               {},
               partition_.start,
               "a file system with " + image::slot_config_file(slot_),
               "none"});
    return ok();
  }
  // One of another size is easier to understand as a whole.
  const image::SlotConfig& own = expected.configs[slot_];
  if (slot_config_.size() != own.text.size())
    check.add({"file", label, own.file, {}, own.text, slot_config_});
  FatContent content{partition_.size,
                     image::kBootFatLabel,
                     image::fat_volume_id(expected.hostname),
                     expected.time,
                     {{kKernelFile, expected.kernel.size}, {kInitrdFile, expected.initrd.size}}};
  for (const image::SlotConfig& one : expected.configs) content.files.push_back({one.file, one.text.size()});
  const auto bytes = encode_fat(content);
  if (!bytes) {
    check.add({"FAT: boot sector",
               label,
               {},
               partition_.start,
               "room for what is recorded",
               bytes.error().message});
    return ok();
  }
  const auto compare = [&](std::uint64_t offset, std::string_view wanted) -> Status {
    TRY(const std::string found, disk.read(partition_.start + offset, wanted.size()));
    add_differences(partition_.start + offset, wanted, found, places, check);
    return ok();
  };
  CHECK_OK(compare(0, bytes->reserved));
  CHECK_OK(compare(bytes->reserved.size(), bytes->table));
  CHECK_OK(compare(bytes->reserved.size() + bytes->table.size(), bytes->table));
  CHECK_OK(compare(bytes->directory_at(), bytes->directory));
  const auto place_of = [&](std::size_t file) { return partition_.start + bytes->files[file].start; };
  CHECK_OK(check_digest(disk, place_of(0), expected.kernel, {"file", label, kKernelFile, place_of(0), {}, {}},
                        check));
  CHECK_OK(check_digest(disk, place_of(1), expected.initrd, {"file", label, kInitrdFile, place_of(1), {}, {}},
                        check));
  for (std::size_t i = 0; i < expected.configs.size(); ++i)
    CHECK_OK(compare(bytes->files[2 + i].start, expected.configs[i].text));
  // The rest of each file's last cluster, and all clusters behind.
  for (std::size_t i = 0; i < content.files.size(); ++i)
    CHECK_OK(expect_empty(
        disk, {place_of(i) + content.files[i].second, bytes->files[i].size - content.files[i].second}, places,
        check));
  check.counted = fmt::format("{} files", content.files.size());
  return expect_empty(disk, {partition_.start + bytes->used, partition_.size - bytes->used}, places, check);
}

Status check_fat_copies(const Disk& disk, const FatVolume& volume, const image::Partition& here,
                        Check& check) {
  // Which of two tables is wrong cannot be told from them alone.
  TRY(const std::string boot, disk.read(here.start, disk::kSectorSize));
  TRY(const std::string backup, disk.read(here.start + 6 * disk::kSectorSize, disk::kSectorSize));
  Places copies;
  copies.add({here.start, here.size}, {"FAT: boot sector and its backup differ", here.label, {}});
  copies.add(volume.tables[0], {"FAT: the two copies of the table differ", here.label, {}});
  add_differences(here.start, backup, boot, copies, check);
  TRY(const std::string first, disk.read(volume.tables[0].start, volume.tables[0].size));
  TRY(const std::string second, disk.read(volume.tables[1].start, volume.tables[1].size));
  add_differences(volume.tables[0].start, second, first, copies, check);
  return ok();
}

}  // namespace mailstead::verify
