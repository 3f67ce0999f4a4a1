// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/disk_image.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "disk/fat.hpp"
#include "disk/squashfs.hpp"
#include "image/image.hpp"

namespace mailstead::inspect {

Result<DiskImage> DiskImage::open(const std::filesystem::path& path) {
  TRY(disk::Disk disk, disk::Disk::open(path));
  TRY(std::vector<Partition> partitions, disk::read_partitions(disk));
  std::uint64_t total = 0;
  for (const Partition& partition : partitions) {
    if (partition.label != image::kDataLabel) total += partition.size;
  }
  if (total > disk::kMostDisk)
    return fail(ErrorKind::integrity,
                fmt::format("{} has {} bytes in partitions beside {}, and an image has {} at most",
                            path.string(), total, image::kDataLabel, disk::kMostDisk));
  return DiskImage(std::move(disk), std::move(partitions));
}

Result<Partition> DiskImage::partition(std::string_view label) const {
  const auto found = std::find_if(partitions_.begin(), partitions_.end(),
                                  [&](const Partition& partition) { return partition.label == label; });
  if (found == partitions_.end())
    return fail(ErrorKind::integrity, fmt::format("{} has no partition {}", disk_.path().string(), label),
                "it is not an image that Mailstead has made");
  return *found;
}

Result<rootfs::FileTree> DiskImage::read_squashfs(const Partition& partition,
                                                  const std::vector<std::string>& folders) const {
  auto tree = disk::read_squashfs(disk_, partition.extent(), folders);
  if (!tree)
    return fail(std::move(tree.error())
                    .with_note(fmt::format("reading the file system in partition {}", partition.number)));
  return tree;
}

Result<std::string> DiskImage::read_fat_file(const Partition& partition, std::string_view path,
                                             std::uint64_t limit) const {
  auto content = disk::read_fat_file(disk_, partition.extent(), path, limit);
  if (!content)
    return fail(std::move(content.error())
                    .with_note(fmt::format("reading {} in partition {}", path, partition.number)));
  return content;
}

}  // namespace mailstead::inspect
