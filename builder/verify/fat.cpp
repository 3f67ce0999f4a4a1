// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/fat.hpp"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <tuple>

namespace mailstead::verify {
namespace {

using disk::kSectorSize;
using namespace std::string_view_literals;

constexpr std::uint64_t kReserved = 32;  // sectors
constexpr std::uint64_t kBackup = 6;     // the sector with the copy of the first two
constexpr std::uint64_t kRootCluster = 2;
constexpr std::size_t kEntry = 32;
constexpr std::uint32_t kLastCluster = 0x0fffffff;

// FAT32 has at least 65525 clusters; our writer keeps some distance.
constexpr std::uint64_t kFewestClusters = 66'000;

/// What mkfs.fat has a BIOS say that is told to start from the partition.
constexpr std::string_view kBootCode =
    "\x0e\x1f\xbe\x77\x7c\xac\x22\xc0\x74\x0b\x56\xb4\x0e\xbb\x07\x00\xcd\x10\x5e\xeb\xf0\x32\xe4\xcd\x16\xcd"
    "\x19\xeb\xfe"
    "This is not a bootable disk.  Please insert a bootable floppy and\r\n"
    "press any key to try again ... \r\n"sv;

/// The time that `mkfs.fat --invariant` gives the label: 2015-03-14, 09:26:52.
constexpr std::uint32_t kLabelTime = 0x466e'4b5a;

void put_number(std::string& bytes, std::size_t offset, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

void put_text(std::string& bytes, std::size_t offset, std::string_view text) {
  bytes.replace(offset, text.size(), text);
}

std::string spaced(std::string text, std::size_t size) {
  text.resize(size, ' ');
  return text;
}

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

/// Date and time of day as a directory has them, the date in the upper half.
std::uint32_t fat_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  const auto bits = [](int value, int shift) { return static_cast<std::uint32_t>(value) << shift; };
  return (bits(utc.tm_year - 80, 9) | bits(utc.tm_mon + 1, 5) | bits(utc.tm_mday, 0)) << 16 |
         bits(utc.tm_hour, 11) | bits(utc.tm_min, 5) | bits(utc.tm_sec / 2, 0);
}

/// Heads and sectors of a track, which nothing reads: mkfs.fat takes them from the SD card specification for
/// 256 MiB or less, and above as BIOSes translate so that there are 1024 cylinders at most.
std::pair<std::uint64_t, std::uint64_t> heads_and_track(std::uint64_t sectors) {
  if (sectors <= 262'144) return {8, 32};
  if (sectors <= 524'288) return {16, 32};
  for (const std::uint64_t heads : {16, 32, 64, 128})
    if (sectors <= heads * 63 * 1024) return {heads, 63};
  return {255, 63};
}

struct Geometry {
  std::uint64_t heads = 0;
  std::uint64_t track = 0;     ///< sectors
  std::uint64_t sectors = 0;   ///< of the file system: whole tracks
  std::uint64_t cluster = 0;   ///< sectors
  std::uint64_t table = 0;     ///< sectors
  std::uint64_t clusters = 0;  ///< that there is room for
};

Result<Geometry> geometry_of(std::uint64_t size) {
  Geometry geometry;
  geometry.cluster = 8;
  while (geometry.cluster > 0 && size / (geometry.cluster * kSectorSize) < kFewestClusters)
    geometry.cluster /= 2;
  if (geometry.cluster == 0 || size > disk::kMostDisk || size % kSectorSize != 0)
    return fail(ErrorKind::integrity, "it has no size for a FAT32 file system");
  std::tie(geometry.heads, geometry.track) = heads_and_track(size / kSectorSize);
  geometry.sectors = size / kSectorSize / geometry.track * geometry.track;
  // A cluster takes four bytes in each table besides itself, and so do the two numbers that stand for none.
  const std::uint64_t room = geometry.sectors - kReserved;
  const std::uint64_t guess = (room * kSectorSize + 16) / (geometry.cluster * kSectorSize + 8);
  const std::uint64_t table = divide_up((guess + 2) * 4, kSectorSize);
  geometry.table = divide_up(table, geometry.cluster) * geometry.cluster;
  geometry.clusters = (room - 2 * geometry.table) / geometry.cluster;
  return geometry;
}

std::string boot_sector(const FatContent& content, const Geometry& geometry) {
  std::string sector(kSectorSize, '\0');
  put_text(sector, 0, "\xeb\x58\x90mkfs.fat"sv);
  put_number(sector, 11, kSectorSize, 2);
  put_number(sector, 13, geometry.cluster, 1);
  put_number(sector, 14, kReserved, 2);
  put_number(sector, 16, 2, 1);  // tables
  // 17, 19 and 22 are for FAT12 and FAT16: entries of the root directory, sectors, sectors of a table.
  put_number(sector, 21, 0xf8, 1);  // not a floppy
  put_number(sector, 24, geometry.track, 2);
  put_number(sector, 26, geometry.heads, 2);
  put_number(sector, 32, geometry.sectors, 4);
  put_number(sector, 36, geometry.table, 4);
  put_number(sector, 44, kRootCluster, 4);
  put_number(sector, 48, 1, 2);  // information sector
  put_number(sector, 50, kBackup, 2);
  put_number(sector, 64, 0x80, 1);  // drive
  put_number(sector, 66, 0x29, 1);  // what follows is there
  put_number(sector, 67, content.volume_id, 4);
  put_text(sector, 71, spaced(content.label, 11));
  put_text(sector, 82, "FAT32   ");
  put_text(sector, 90, kBootCode);
  put_number(sector, 510, 0xaa55, 2);
  return sector;
}

std::string information_sector(std::uint64_t free, std::uint64_t last_taken) {
  std::string sector(kSectorSize, '\0');
  put_text(sector, 0, "RRaA");
  put_text(sector, 484, "rrAa");
  put_number(sector, 488, free, 4);
  put_number(sector, 492, last_taken, 4);
  put_number(sector, 510, 0xaa55, 2);
  return sector;
}

std::string directory_entry(const std::string& name, std::uint64_t first_cluster, std::uint64_t size,
                            std::uint32_t time) {
  const std::size_t dot = std::min(name.find('.'), name.size());
  std::string upper = spaced(name.substr(0, dot), 8) + spaced(name.substr(std::min(dot + 1, name.size())), 3);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  std::string entry(kEntry, '\0');
  put_text(entry, 0, upper);
  put_number(entry, 11, 0x20, 1);                              // to be archived
  put_number(entry, 12, dot == name.size() ? 0x08 : 0x18, 1);  // lower case
  put_number(entry, 14, time, 4);                              // created
  put_number(entry, 18, time >> 16, 2);                        // read
  put_number(entry, 20, first_cluster >> 16, 2);
  put_number(entry, 22, time, 4);  // written
  put_number(entry, 26, first_cluster & 0xffff, 2);
  put_number(entry, 28, size, 4);
  return entry;
}

std::string label_entry(const std::string& label) {
  std::string entry(kEntry, '\0');
  put_text(entry, 0, spaced(label, 11));
  put_number(entry, 11, 0x08, 1);
  put_number(entry, 14, kLabelTime, 4);
  put_number(entry, 18, kLabelTime >> 16, 2);
  put_number(entry, 22, kLabelTime, 4);
  return entry;
}

}  // namespace

Result<FatBytes> encode_fat(const FatContent& content) {
  TRY(const Geometry geometry, geometry_of(content.size));
  const std::uint64_t cluster_size = geometry.cluster * kSectorSize;
  FatBytes bytes;
  bytes.reserved.resize(kReserved * kSectorSize);
  bytes.table.resize(geometry.table * kSectorSize);
  bytes.directory.resize(cluster_size);
  if ((content.files.size() + 1) * kEntry > cluster_size)
    return fail(ErrorKind::integrity, "it has too many files");

  put_number(bytes.table, 0, 0x0ffffff8, 4);
  put_number(bytes.table, 4, kLastCluster, 4);
  put_number(bytes.table, 4 * kRootCluster, 0x0ffffff8, 4);
  put_text(bytes.directory, 0, label_entry(content.label));
  const std::uint64_t data = bytes.directory_at();
  std::uint64_t next = kRootCluster + 1;
  std::size_t entry = kEntry;
  for (const auto& [name, size] : content.files) {
    const std::uint64_t count = size > content.size ? geometry.clusters : divide_up(size, cluster_size);
    if (count > geometry.clusters + 2 - next)
      return fail(ErrorKind::integrity, "its files are larger than it is");
    for (std::uint64_t i = 0; i < count; ++i)
      put_number(bytes.table, 4 * (next + i), i + 1 < count ? next + i + 1 : kLastCluster, 4);
    put_text(bytes.directory, entry,
             directory_entry(name, count > 0 ? next : 0, size, fat_time(content.time)));
    bytes.files.push_back({data + (next - kRootCluster) * cluster_size, count * cluster_size});
    next += count;
    entry += kEntry;
  }
  bytes.used = data + (next - kRootCluster) * cluster_size;

  // The copies that drivers fall back on are as mkfs.fat has left them: without files.
  const std::string boot = boot_sector(content, geometry);
  put_text(bytes.reserved, 0, boot);
  put_text(bytes.reserved, kSectorSize, information_sector(geometry.clusters + 2 - next, next - 1));
  put_text(bytes.reserved, kBackup * kSectorSize, boot);
  put_text(bytes.reserved, (kBackup + 1) * kSectorSize,
           information_sector(geometry.clusters - 1, kRootCluster));
  return bytes;
}

}  // namespace mailstead::verify
