// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/fat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "base/printable.hpp"

namespace mailstead::disk {
namespace {

constexpr std::uint64_t kBackup = 6;
constexpr std::size_t kEntry = 32;
constexpr std::size_t kMostEntries = 4096;
constexpr std::size_t kMostExtents = 65'536;  // of all files; those of ours lie in one piece
constexpr std::size_t kMostName = 255;        // of a long name, UTF-16 units
constexpr std::size_t kMostPath = 4096;
constexpr std::uint64_t kMostTable = 16u << 20;  // bytes: two gigabytes in clusters of one sector
constexpr unsigned char kLongName = 0x0f;
constexpr unsigned char kVolumeLabel = 0x08;
constexpr unsigned char kDirectory = 0x10;

class Reader {
 public:
  Reader(const Disk& disk, Extent partition, FatCopies copies)
      : disk_(disk), partition_(partition), copies_(copies) {}

  Result<FatVolume> read() {
    CHECK_OK(read_geometry());
    FatEntry root{{}, true, 0, {}};
    TRY(root.extents, chain(root_cluster_));
    volume_.entries.push_back(std::move(root));
    for (std::size_t i = 0; i < volume_.entries.size(); ++i)
      if (volume_.entries[i].directory) CHECK_OK(read_directory(i));
    return std::move(volume_);
  }

 private:
  static auto damaged(std::string what) {
    return fail(ErrorKind::integrity, fmt::format("the FAT file system is damaged: {}", what));
  }

  Status read_geometry() {
    TRY(const std::string boot,
        disk_.read(partition_.start + (copies_.backup_boot_sector ? kBackup * kSectorSize : 0), kSectorSize));
    const auto number = [&](std::size_t offset, std::size_t size) {
      return little_endian(boot, offset, size);
    };
    cluster_size_ = number(13, 1) * kSectorSize;
    const std::uint64_t reserved = number(14, 2) * kSectorSize;
    const std::uint64_t table = number(36, 4) * kSectorSize;
    root_cluster_ = number(44, 4);
    volume_.information_sector = number(48, 2);
    volume_.backup_sector = number(50, 2);
    if (number(510, 2) != 0xaa55 || number(11, 2) != kSectorSize || number(16, 1) != 2 ||
        cluster_size_ == 0 || table == 0 || reserved + 2 * table >= partition_.size ||
        volume_.information_sector * kSectorSize >= reserved ||
        volume_.backup_sector * kSectorSize >= reserved)
      return damaged("its boot sector makes no sense");
    volume_.tables = {Extent{partition_.start + reserved, table},
                      Extent{partition_.start + reserved + table, table}};
    const std::uint64_t data = volume_.tables[1].end();
    volume_.clusters = {data, partition_.start + partition_.size - data};
    if (table > kMostTable) return damaged(fmt::format("its table is too large, {} bytes", table));
    clusters_ = std::min(volume_.clusters.size / cluster_size_, table / 4 - 2);
    taken_.assign(clusters_, false);
    TRY(table_, disk_.read(volume_.tables[copies_.second_table ? 1 : 0].start, table));
    for (std::uint64_t i = 2; i < clusters_ + 2; ++i)
      if (little_endian(table_, i * 4, 4) == 0) ++volume_.free_clusters;
    return ok();
  }

  /// Clusters that follow each other are one extent. A cluster is in one chain only: so all of them together
  /// take no longer than the table.
  Result<std::vector<Extent>> chain(std::uint64_t cluster) {
    std::vector<Extent> extents;
    while (cluster < 0x0ffffff8) {
      if (cluster < 2 || cluster - 2 >= clusters_ || taken_[cluster - 2])
        return damaged("a chain of clusters leads nowhere");
      taken_[cluster - 2] = true;
      const Extent here{volume_.clusters.start + (cluster - 2) * cluster_size_, cluster_size_};
      if (!extents.empty() && extents.back().end() == here.start)
        extents.back().size += here.size;
      else if (++extents_ <= kMostExtents)
        extents.push_back(here);
      else
        return damaged("its files are in too many pieces");
      cluster = little_endian(table_, cluster * 4, 4) & 0x0fffffff;
    }
    return extents;
  }

  Status read_directory(std::size_t index) {
    std::string bytes;
    for (const Extent& extent : volume_.entries[index].extents) {
      if (extent.size > kMostEntries * kEntry - bytes.size()) return damaged("a directory is too large");
      TRY(const std::string part, disk_.read(extent.start, extent.size));
      bytes += part;
    }
    const std::string parent = volume_.entries[index].path;
    std::string long_name;
    for (std::size_t at = 0; at + kEntry <= bytes.size() && bytes[at] != 0; at += kEntry) {
      const std::string_view raw = std::string_view(bytes).substr(at, kEntry);
      const auto attributes = static_cast<unsigned char>(raw[11]);
      if (static_cast<unsigned char>(raw[0]) == 0xe5) continue;
      if (attributes == kLongName) {
        long_name = long_part(raw) + long_name;
        if (long_name.size() > kMostName) return damaged("a name is too long");
        continue;
      }
      std::string name = long_name.empty() ? short_name(raw) : long_name;
      long_name.clear();
      if ((attributes & kVolumeLabel) != 0 || name == "." || name == "..") continue;
      if (volume_.entries.size() >= kMostEntries) return damaged("it has too many files");
      if (parent.size() + 1 + name.size() > kMostPath) return damaged("a path is too long");
      FatEntry entry{parent.empty() ? name : parent + "/" + name,
                     (attributes & kDirectory) != 0,
                     little_endian(raw, 28, 4),
                     {}};
      const std::uint64_t first = little_endian(raw, 20, 2) << 16 | little_endian(raw, 26, 2);
      if (first != 0) {
        TRY(entry.extents, chain(first));
      }
      volume_.entries.push_back(std::move(entry));
    }
    return ok();
  }

  /// Thirteen UTF-16 units of a long name; ours are ASCII.
  static std::string long_part(std::string_view raw) {
    std::string part;
    for (const auto& [start, count] : {std::pair{1, 5}, {14, 6}, {28, 2}}) {
      for (int i = 0; i < count; ++i) {
        const std::uint64_t unit = little_endian(raw, static_cast<std::size_t>(start + 2 * i), 2);
        if (unit == 0 || unit == 0xffff) return part;
        part += unit < 0x80 ? static_cast<char>(unit) : '?';
      }
    }
    return part;
  }

  /// "VMLINUZ    " with the two flags by which Windows NT keeps lower case (byte 12).
  static std::string short_name(std::string_view raw) {
    const auto flags = static_cast<unsigned char>(raw[12]);
    const auto field = [&](std::size_t start, std::size_t size, bool lower) {
      std::string text(raw.substr(start, size));
      text.erase(text.find_last_not_of(' ') + 1);
      if (lower)
        for (char& c : text)
          if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      return text;
    };
    const std::string extension = field(8, 3, (flags & 0x10) != 0);
    return field(0, 8, (flags & 0x08) != 0) + (extension.empty() ? "" : "." + extension);
  }

  const Disk& disk_;
  const Extent partition_;
  const FatCopies copies_;
  std::uint64_t cluster_size_ = 0;
  std::uint64_t clusters_ = 0;
  std::uint64_t root_cluster_ = 0;
  std::string table_;
  std::vector<bool> taken_;  ///< the clusters that are in a chain
  std::size_t extents_ = 0;
  FatVolume volume_;
};

/// FAT keeps the case of names and does not tell names apart by it.
bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

Result<FatVolume> read_fat(const Disk& disk, Extent partition, FatCopies copies) {
  return Reader(disk, partition, copies).read();
}

Result<FatVolume> read_any_fat(const Disk& disk, Extent partition) {
  auto volume = read_fat(disk, partition);
  for (const FatCopies copies : {FatCopies{false, true}, FatCopies{true, false}, FatCopies{true, true}}) {
    if (volume) break;
    if (auto other = read_fat(disk, partition, copies)) volume = std::move(other);
  }
  return volume;
}

Status stream_fat_file(const Disk& disk, const FatEntry& file,
                       const std::function<Status(std::string_view)>& sink) {
  std::uint64_t left = file.size;
  for (const Extent& extent : file.extents) {
    const std::uint64_t count = std::min(extent.size, left);
    CHECK_OK(disk.stream({extent.start, count},
                         [&](std::uint64_t, std::string_view block) { return sink(block); }));
    left -= count;
  }
  if (left > 0)
    return fail(ErrorKind::integrity, fmt::format("{} is longer than its clusters", printable(file.path)));
  return ok();
}

Result<std::string> read_fat_file(const Disk& disk, const FatEntry& file, std::uint64_t limit) {
  if (file.size > limit)
    return fail(ErrorKind::integrity,
                fmt::format("{} is too large: {} bytes", printable(file.path), file.size));
  std::string bytes;
  CHECK_OK(stream_fat_file(disk, file, [&](std::string_view block) {
    bytes += block;
    return ok();
  }));
  return bytes;
}

Result<std::string> read_fat_file(const Disk& disk, Extent partition, std::string_view path,
                                  std::uint64_t limit) {
  TRY(const FatVolume volume, read_any_fat(disk, partition));
  for (const FatEntry& entry : volume.entries)
    if (!entry.directory && same_name(entry.path, path)) return read_fat_file(disk, entry, limit);
  return fail(ErrorKind::integrity, fmt::format("there is no {}", path));
}

}  // namespace mailstead::disk
