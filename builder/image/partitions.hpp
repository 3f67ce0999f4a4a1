// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "image/image.hpp"

namespace mailstead::image {

inline constexpr std::uint64_t kSectorSize = 512;
inline constexpr std::uint64_t kMebibyte = 1u << 20;
/// Where the data begin on every disk: an image of whatever size ends before, so that one written over a disk
/// never touches them. Also in rootfs-overlays/initrd/usr/lib/mailstead/find-data.lua, which enters what lies
/// between.
inline constexpr std::uint64_t kDataStart = 2048 * kMebibyte;

using platform::kBiosNumber;
using platform::kBootNumberA;
using platform::kBootNumberB;
using platform::kEspNumber;
using platform::kRootNumberA;
using platform::kRootNumberB;
using platform::kUsrNumberA;
using platform::kUsrNumberB;
using platform::PartitionNumber;

/// The partitions of a slot.
struct SlotPartitions {
  char name;
  PartitionNumber boot;
  PartitionNumber usr;
  PartitionNumber root;
};
inline constexpr SlotPartitions kSlots[2] = {{'a', kBootNumberA, kUsrNumberA, kRootNumberA},
                                             {'b', kBootNumberB, kUsrNumberB, kRootNumberB}};

/// A partition as it will be on the disk.
struct Partition {
  int number = 0;
  std::string label;
  std::string type;         ///< type GUID, upper case
  std::string uuid;         ///< lower case
  std::string attributes;   ///< in sfdisk's words; may be empty
  std::uint64_t start = 0;  ///< bytes, a multiple of 1 MiB
  std::uint64_t size = 0;   ///< bytes, a multiple of 1 MiB
};

/// The GUID of the disk of a site, lower case with dashes. As those of its partitions it derives from the
/// site alone: a slot that is written later, with another base, finds the disk that was made with the first.
std::string disk_uuid(const std::string& hostname);

/// Of the data partition of a site and of the file system in it (render/context.cpp names it to
/// systemd-repart).
std::string data_uuid(const std::string& hostname);

/// Places the partitions one after the other from 1 MiB on. Errors (ErrorKind::usage): a size that is 0 or no
/// multiple of 1 MiB; no room for a file system in front of the disk's record; the image would not end before
/// kDataStart.
Result<std::vector<Partition>> place_partitions(const Layout& layout, const std::string& hostname);

/// The one with this number, which has to be there.
const Partition& partition_of(const std::vector<Partition>& partitions, PartitionNumber number);

/// Size of the disk in bytes: up to the end of the last partition and 1 MiB for the second copy of the table.
std::uint64_t disk_size(const std::vector<Partition>& partitions);

/// Where the record of the disk lies, `esp` being its EFI system partition: bytes from the start of the disk.
std::uint64_t disk_record_place(const Partition& esp);

/// The input of sfdisk(8) for this table.
std::string sfdisk_script(const std::vector<Partition>& partitions, const std::string& hostname);

}  // namespace mailstead::image
