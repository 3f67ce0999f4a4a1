// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/boot_partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/interrupt.hpp"
#include "crypto/digest.hpp"
#include "verify/compare.hpp"

namespace mailstead::verify {
namespace {

using disk::Disk;
using disk::Extent;
using disk::FatCopies;
using disk::FatEntry;
using disk::FatVolume;

constexpr const char* kSlotConfig = "slot.cfg";
constexpr const char* kKernel = "vmlinuz";
constexpr const char* kInitrd = "initrd.img";
constexpr std::uint64_t kMostSlotConfig = 64 * 1024;

std::optional<std::string> read_slot_config(const Disk& disk, const FatVolume& volume) {
  for (const FatEntry& entry : volume.entries) {
    if (entry.directory || entry.path != kSlotConfig || entry.size > kMostSlotConfig) continue;
    if (auto content = disk::read_fat_file(disk, entry)) return *std::move(content);
  }
  return std::nullopt;
}

/// A kernel or an initrd. One that its clusters do not hold is as if it were empty.
Status check_boot_file(const Disk& disk, const FatEntry& entry, const image::PublicPart& recorded,
                       Finding finding, Check& check) {
  crypto::Sha256 hash;
  const Status done = disk::stream_fat_file(disk, entry, [&](std::string_view block) {
    hash.update(block);
    return ok();
  });
  CHECK_OK(check_interrupt());
  if (done)
    check_part(recorded, entry.size, crypto::to_hex(hash.finish()), std::move(finding), check);
  else
    check_part(recorded, 0, crypto::sha256_hex(""), std::move(finding), check);
  return ok();
}

void check_slot_config(const std::string& expected, const std::string& content, Finding finding,
                       const Places& places, Check& check) {
  if (content == expected) return;
  if (content.size() == expected.size() && finding.offset) {
    add_differences(*finding.offset, expected, content, places, check);
    return;
  }
  finding.expected = expected;
  finding.found = content;
  check.add(std::move(finding));
}

/// The rest of a file's last cluster.
Extent slack_of(const FatEntry& entry) {
  if (entry.extents.empty()) return {};
  std::uint64_t room = 0;
  for (const Extent& extent : entry.extents) room += extent.size;
  const std::uint64_t slack = std::min(room - std::min(room, entry.size), entry.extents.back().size);
  return {entry.extents.back().end() - slack, slack};
}

/// What is in no file's clusters.
std::vector<Extent> unused_clusters(const FatVolume& volume) {
  std::vector<Extent> used;
  for (const FatEntry& entry : volume.entries)
    used.insert(used.end(), entry.extents.begin(), entry.extents.end());
  std::sort(used.begin(), used.end(), [](const Extent& a, const Extent& b) { return a.start < b.start; });
  used.push_back({volume.clusters.end(), 0});
  std::vector<Extent> unused;
  std::uint64_t at = volume.clusters.start;
  for (const Extent& extent : used) {
    if (extent.start > at) unused.push_back({at, extent.start - at});
    at = std::max(at, extent.end());
  }
  return unused;
}

}  // namespace

BootPartition BootPartition::read(const Disk& disk, const image::Partition& partition) {
  BootPartition boot;
  boot.partition_ = partition;
  for (const FatCopies copies : {FatCopies{}, {false, true}, {true, false}, {true, true}}) {
    auto volume = disk::read_fat(disk, {partition.start, partition.size}, copies);
    if (!volume) continue;
    auto config = read_slot_config(disk, *volume);
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
    check.add({"FAT: boot sector", label, {}, partition_.start, "a file system with slot.cfg", "none"});
    return ok();
  }
  CHECK_OK(check_fat_copies(disk, *volume_, partition_, check));
  std::set<std::string> names;
  for (const FatEntry& entry : volume_->entries) {
    if (entry.directory) continue;
    names.insert(entry.path);
    const std::optional<std::uint64_t> at =
        entry.extents.empty() ? std::nullopt : std::optional(entry.extents.front().start);
    const Finding finding{"file", label, entry.path, at, {}, {}};
    if (entry.path == kKernel || entry.path == kInitrd) {
      const image::PublicPart& recorded = entry.path == kKernel ? expected.kernel : expected.initrd;
      CHECK_OK(check_boot_file(disk, entry, recorded, finding, check));
    } else if (entry.path == kSlotConfig) {
      check_slot_config(expected.slot_config, slot_config_, finding, places, check);
    } else {
      check.add({"file", label, entry.path, at, "no such file", "it is there"});
    }
    CHECK_OK(expect_empty(disk, slack_of(entry), places, check));
  }
  for (const char* name : {kKernel, kInitrd})
    if (!names.contains(name)) check.add({"file", label, name, {}, "it is there", "no such file"});
  check.counted = fmt::format("{} files", names.size());
  for (const Extent& extent : unused_clusters(*volume_)) CHECK_OK(expect_empty(disk, extent, places, check));
  return ok();
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
