// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/found.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/printable.hpp"
#include "disk/gpt.hpp"
#include "image/image.hpp"
#include "image/partitions.hpp"

namespace mailstead::update {
namespace {

using disk::Disk;

struct Mark {
  std::uint64_t offset;
  std::string_view bytes;
  const char* name;
};
// As in the magic database of file(1). What others have in their boot sector, too, comes last.
constexpr Mark kMarks[] = {{1080, "\x53\xef", "an ext2, ext3 or ext4 file system"},
                           {0, "XFSB", "an XFS file system"},
                           {65600, "_BHRfS_M", "a Btrfs file system"},
                           {0, "LUKS\xba\xbe", "an encrypted disk (LUKS)"},
                           {536, "LVM2 001", "a physical volume of LVM"},
                           {4086, "SWAPSPACE2", "swap space"},
                           {0, "hsqs", "a squashfs file system"},
                           {3, "NTFS    ", "an NTFS file system"},
                           {82, "FAT32", "a FAT file system"},
                           {54, "FAT1", "a FAT file system"},
                           {32769, "CD001", "an ISO 9660 file system"},
                           {510, "\x55\xaa", "an MBR partition table"}};

}  // namespace

Result<std::string> describe_contents(const Disk& disk) {
  for (const Mark& mark : kMarks) {
    if (mark.offset + mark.bytes.size() > disk.size()) continue;
    TRY(const std::string found, disk.read(mark.offset, mark.bytes.size()));
    if (found == mark.bytes) return std::string(mark.name);
  }
  return std::string();
}

Result<std::string> describe_table(const Disk& disk) {
  const auto partitions = disk::read_partitions(disk);
  if (!partitions) return fmt::format("a partition table that is damaged ({})", partitions.error().message);
  std::string names;
  constexpr std::size_t kMost = 4;
  std::size_t count = 0;
  for (const disk::Partition& partition : *partitions) {
    if (partition.label == image::kEspLabel) return std::string("the system of another site");
    if (++count > kMost) continue;
    const std::string name = partition.label.empty() ? fmt::format("number {}", partition.number)
                                                     : fmt::format("\"{}\"", printable(partition.label));
    names += (names.empty() ? "" : ", ") + name;
  }
  if (count == 0) return std::string("a partition table without partitions");
  return fmt::format("{} of something else: {}{}", count == 1 ? "a partition" : "partitions", names,
                     count > kMost ? ", …" : "");
}

Result<DataSpace> look_at_data(const Disk& disk, const std::string& id) {
  // struct ext4_super_block (Documentation/filesystems/ext4/super.rst)
  constexpr std::uint64_t kSuperblock = image::kDataStart + 1024;
  constexpr std::size_t kMagic = 56;
  constexpr std::size_t kUuid = 104;
  constexpr std::uint64_t kLookedAt = 16 * image::kMebibyte;
  TRY(const std::string block, disk.read(kSuperblock, 1024));
  if (block.substr(kMagic, 2) == "\x53\xef") {
    std::string uuid;
    for (std::size_t i = 0; i < 16; ++i)
      uuid += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                          static_cast<unsigned char>(block[kUuid + i]));
    return uuid == id ? DataSpace::own : DataSpace::other;
  }
  bool blank = true;
  const std::uint64_t size = std::min(kLookedAt, disk.size() - image::kDataStart);
  CHECK_OK(disk.find_data({image::kDataStart, size}, [&](disk::Extent) {
    blank = false;
    return ok();
  }));
  return blank ? DataSpace::blank : DataSpace::other;
}

}  // namespace mailstead::update
