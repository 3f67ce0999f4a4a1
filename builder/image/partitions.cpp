// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/partitions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.hpp"

namespace mailstead::image {
namespace {

std::uint64_t size_of(const platform::PartitionRow& row, const Layout& layout) {
  switch (row.size) {
    case platform::Sized::esp:
      return layout.esp_size;
    case platform::Sized::boot:
      return layout.boot_size;
    case platform::Sized::usr:
      return layout.usr_size;
    case platform::Sized::root:
      return layout.root_size;
    case platform::Sized::fixed:
      return kMebibyte;
  }
  __builtin_unreachable();
}

}  // namespace

std::string disk_uuid(const std::string& hostname) {
  return crypto::derived_uuid(hostname, "disk");
}

std::string data_uuid(const std::string& hostname) {
  return crypto::derived_uuid(hostname, "data partition");
}

std::string partition_uuid(const std::string& hostname, const std::string& label) {
  return crypto::derived_uuid(hostname, "partition " + label);
}

Result<std::vector<Partition>> place_partitions(const Layout& layout, const std::string& hostname) {
  std::vector<Partition> partitions;
  for (const platform::PartitionRow& row : platform::partition_table(layout.machine))
    partitions.push_back({row.number, row.label, row.type, {}, row.attributes, 0, size_of(row, layout)});
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
