// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "inspect/disk_image.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::inspect {

/// The squashfs at the start of a partition, read by the host's sqfs2tar(1): an implementation which has no
/// code in common with the one that wrote it. Contents stay on disk. With `folders`, only these and what is
/// below them. Errors: no squashfs, one that is larger than its partition or that unpacks to more than 2 GiB,
/// a folder that is not there, one of more than 2 GiB
/// itself, what rootfs::read_tar refuses.
Result<rootfs::FileTree> read_squashfs(const DiskImage& image, const Partition& partition,
                                       const std::vector<std::string>& folders = {});

/// What a kernel or an initrd may have at most, bytes, whatever the image says of its partition.
inline constexpr std::uint64_t kMostBootFile = 256u << 20;

/// A file of the FAT file system in a partition, read by the host's mcopy(1). Errors: no such file, or more
/// than `limit` bytes.
Result<std::string> read_fat_file(const DiskImage& image, const Partition& partition, const std::string& path,
                                  std::uint64_t limit);

}  // namespace mailstead::inspect
