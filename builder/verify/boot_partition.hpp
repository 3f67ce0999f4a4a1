// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "disk/disk.hpp"
#include "disk/fat.hpp"
#include "image/grub.hpp"
#include "image/partitions.hpp"
#include "image/records.hpp"
#include "verify/places.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

/// What has to be on a boot partition, and nothing else.
struct BootExpectation {
  std::vector<image::SlotConfig> configs;  ///< of both slots
  image::PublicPart kernel;
  image::PublicPart initrd;
  std::string hostname;   ///< from which the volume id derives
  std::int64_t time = 0;  ///< of all files, seconds since the epoch
};

/// The boot partition of a slot: kernel, initrd, and the kernel's command lines for both slots.
class BootPartition {
 public:
  /// Reads it by those copies of its tables in which the slot's file makes sense. Whatever the bytes are,
  /// this comes back, if need be with nothing in it.
  static BootPartition read(const disk::Disk& disk, const image::Partition& partition, std::size_t slot);

  /// The slot's file. Empty if there is none.
  const std::string& slot_config() const { return slot_config_; }

  /// Holds every byte of the partition against what it has to be, wherever the tables on the disk say that
  /// the files are. Errors: those of disk::Disk::stream.
  Status check(const disk::Disk& disk, const BootExpectation& expected, const Places& places,
               Check& check) const;

 private:
  image::Partition partition_;
  std::size_t slot_ = 0;
  std::optional<disk::FatVolume> volume_;
  std::string slot_config_;
};

/// Adds a finding for each difference between what a FAT32 file system has twice.
Status check_fat_copies(const disk::Disk& disk, const disk::FatVolume& volume,
                        const image::Partition& partition, Check& check);

}  // namespace mailstead::verify
