// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/gpt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace mailstead::disk {
namespace {

constexpr const char* kCutOff = "the image may have been cut off while it was copied";

/// The copy whose header lies in sector `header_sector`, if its checksums hold.
std::optional<Table> sound_copy(const Disk& disk, std::uint64_t header_sector) {
  auto header = disk.read(header_sector * kSectorSize, kSectorSize);
  if (!header || !header->starts_with("EFI PART")) return std::nullopt;
  const std::uint64_t expected = little_endian(*header, 16, 4);
  header->replace(16, 4, 4, '\0');
  if (little_endian(*header, 12, 4) != kTableHeaderSize ||
      crc32(std::string_view(*header).substr(0, kTableHeaderSize)) != expected ||
      little_endian(*header, 80, 4) != kTableEntries || little_endian(*header, 84, 4) != kTableEntrySize)
    return std::nullopt;
  const std::uint64_t at = little_endian(*header, 72, 8);
  if (at > disk.size() / kSectorSize) return std::nullopt;
  auto entries = disk.read(at * kSectorSize, kTableEntries * kTableEntrySize);
  if (!entries || crc32(*entries) != little_endian(*header, 88, 4)) return std::nullopt;
  // The first copy names the place of the second one; one that is beyond the disk was cut off.
  const std::uint64_t sectors = disk.size() / kSectorSize;
  const std::uint64_t second = std::max(little_endian(*header, 24, 8), little_endian(*header, 32, 8));
  return Table{*std::move(entries), header->substr(56, 16),
               std::min(second, sectors - 1) * kSectorSize + kSectorSize};
}

/// The text of a GUID of 16 bytes, lower case: the first three groups are little-endian (UEFI specification,
/// appendix A).
std::string guid_text(std::string_view bytes) {
  std::string text = fmt::format("{:08x}-{:04x}-{:04x}-", little_endian(bytes, 0, 4),
                                 little_endian(bytes, 4, 2), little_endian(bytes, 6, 2));
  for (std::size_t i = 8; i < 16; ++i)
    text += fmt::format("{}{:02x}", i == 10 ? "-" : "", static_cast<unsigned char>(bytes[i]));
  return text;
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

/// 36 UTF-16 units; ours are ASCII.
std::string label_in(std::string_view entry) {
  std::string label;
  for (std::size_t at = 56; at < kTableEntrySize; at += 2) {
    const std::uint64_t unit = little_endian(entry, at, 2);
    if (unit == 0) break;
    label += unit < 0x80 ? static_cast<char>(unit) : '?';
  }
  return label;
}

Status check_places(const std::vector<Partition>& partitions) {
  std::uint64_t end = 0;
  for (const Partition& partition : partitions) {
    if (partition.start < end)
      return fail(ErrorKind::integrity, fmt::format("partition {} overlaps another one", partition.number));
    end = partition.start + partition.size;
  }
  return ok();
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

Result<Table> read_table(const Disk& disk) {
  if (disk.size() < 2 * kTableSectors * kSectorSize)
    return fail(ErrorKind::integrity, fmt::format("{} is too short for a disk", disk.path().string()));
  const std::uint64_t sectors = disk.size() / kSectorSize;
  auto table = sound_copy(disk, 1);
  if (!table) table = sound_copy(disk, sectors - 1);
  if (table) return *std::move(table);
  return fail(ErrorKind::integrity,
              fmt::format("neither copy of the partition table of {} is whole", disk.path().string()),
              kCutOff);
}

Result<std::vector<Partition>> read_partitions(const Disk& disk) {
  TRY(const Table table, read_table(disk));
  return partitions_in(table, disk);
}

Result<std::vector<Partition>> partitions_in(const Table& table, const Disk& disk) {
  const std::uint64_t sectors = disk.size() / kSectorSize;
  std::vector<Partition> partitions;
  for (std::uint64_t i = 0; i < kTableEntries; ++i) {
    const std::string_view entry =
        std::string_view(table.entries).substr(i * kTableEntrySize, kTableEntrySize);
    if (entry.substr(0, 16).find_first_not_of('\0') == std::string_view::npos) continue;  // not in use
    const int number = static_cast<int>(i) + 1;
    const std::uint64_t first = little_endian(entry, 32, 8);
    const std::uint64_t last = little_endian(entry, 40, 8);
    if (last >= sectors)
      return fail(ErrorKind::integrity, fmt::format("partition {} ends behind the end of the disk", number),
                  kCutOff);
    if (first > last) return fail(ErrorKind::integrity, fmt::format("partition {} is empty", number));
    partitions.push_back({number, label_in(entry), upper(guid_text(entry.substr(0, 16))),
                          guid_text(entry.substr(16, 16)), first * kSectorSize,
                          (last - first + 1) * kSectorSize});
  }
  std::sort(partitions.begin(), partitions.end(),
            [](const Partition& a, const Partition& b) { return a.start < b.start; });
  CHECK_OK(check_places(partitions));
  return partitions;
}

}  // namespace mailstead::disk
