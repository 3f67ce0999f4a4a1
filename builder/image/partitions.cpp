// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/partitions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.hpp"

namespace mailstead::image {
namespace {

// The types are those of the UEFI specification, of GRUB, and of the Discoverable Partitions Specification.
// No partition of a slot has the generic Linux type: systemd-repart takes a partition of the type that it is
// to make for its own, and would then adopt a slot as the data partition.
constexpr const char* kEspType = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
constexpr const char* kBiosType = "21686148-6449-6E6F-744E-656564454649";
constexpr const char* kBootType = "BC13C2FF-59E6-4262-A352-B275FD6F7172";  // extended boot loader
constexpr const char* kUsrType = "8484680C-9521-48C6-9C11-B0720656F69E";   // /usr for x86-64
constexpr const char* kRootType = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";  // root for x86-64

// Bit 63, not to be mounted automatically: a slot is mounted because the kernel command line says so. Bit 60:
// read-only.
constexpr const char* kNotAutomatic = "GUID:63";
constexpr const char* kReadOnly = "GUID:60,63";

}  // namespace

std::string disk_uuid(const std::string& hostname) {
  return crypto::derived_uuid(hostname, "disk");
}

std::string partition_uuid(const std::string& hostname, const std::string& label) {
  return crypto::derived_uuid(hostname, "partition " + label);
}

Result<std::vector<Partition>> place_partitions(const Layout& layout, const std::string& hostname) {
  std::vector<Partition> partitions{
      {kEspNumber, kEspLabel, kEspType, {}, {}, 0, layout.esp_size},
      {kBiosNumber, kBiosLabel, kBiosType, {}, {}, 0, kMebibyte},
      {kBootNumberA, kBootLabels[0], kBootType, {}, kNotAutomatic, 0, layout.boot_size},
      {kBootNumberB, kBootLabels[1], kBootType, {}, kNotAutomatic, 0, layout.boot_size},
      {kUsrNumberA, kUsrLabels[0], kUsrType, {}, kReadOnly, 0, layout.usr_size},
      {kUsrNumberB, kUsrLabels[1], kUsrType, {}, kReadOnly, 0, layout.usr_size},
      {kRootNumberA, kRootLabels[0], kRootType, {}, kReadOnly, 0, layout.root_size},
      {kRootNumberB, kRootLabels[1], kRootType, {}, kReadOnly, 0, layout.root_size},
  };
  std::uint64_t next = kMebibyte;
  for (Partition& partition : partitions) {
    if (partition.size == 0 || partition.size % kMebibyte != 0)
      return fail(ErrorKind::usage,
                  fmt::format("the partition {} has a size of {} bytes", partition.label, partition.size),
                  "sizes in the profile are multiples of 1 MiB, and not 0");
    partition.uuid = partition_uuid(hostname, partition.label);
    partition.start = next;
    next += partition.size;
  }
  if (layout.esp_size <= kDiskRecordRoom)
    return fail(ErrorKind::usage,
                fmt::format("the partition {} has 1 MiB, which the disk's record takes", kEspLabel),
                "make it larger in the profile");
  if (disk_size(partitions) > kDataStart)
    return fail(ErrorKind::usage,
                fmt::format("an image of {} MiB reaches into the data of its site, which begin at {} MiB",
                            disk_size(partitions) / kMebibyte, kDataStart / kMebibyte),
                "make the partitions in the profile smaller");
  return partitions;
}

const Partition& partition_of(const std::vector<Partition>& partitions, PartitionNumber number) {
  return *std::find_if(partitions.begin(), partitions.end(),
                       [&](const Partition& partition) { return partition.number == number; });
}

std::uint64_t disk_size(const std::vector<Partition>& partitions) {
  const Partition& last = partitions.back();
  return last.start + last.size + kMebibyte;
}

std::uint64_t disk_record_place(const Partition& esp) {
  return esp.start + esp.size - kDiskRecordRoom;
}

std::string sfdisk_script(const std::vector<Partition>& partitions, const std::string& hostname) {
  std::string script =
      fmt::format("label: gpt\nlabel-id: {}\nunit: sectors\nsector-size: {}\nfirst-lba: 34\n\n",
                  disk_uuid(hostname), kSectorSize);
  for (const Partition& partition : partitions) {
    script += fmt::format("{} : start={}, size={}, type={}, uuid={}, name=\"{}\"", partition.number,
                          partition.start / kSectorSize, partition.size / kSectorSize, partition.type,
                          partition.uuid, partition.label);
    if (!partition.attributes.empty()) script += fmt::format(", attrs=\"{}\"", partition.attributes);
    script += '\n';
  }
  return script;
}

}  // namespace mailstead::image
