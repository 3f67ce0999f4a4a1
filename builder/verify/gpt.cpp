// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/gpt.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/program.hpp"
#include "disk/gpt.hpp"
#include "verify/compare.hpp"
#include "verify/places.hpp"

namespace mailstead::verify {
namespace {

using disk::Disk;
using disk::kSectorSize;

constexpr std::uint64_t kEntrySectors = disk::kTableEntries * disk::kTableEntrySize / kSectorSize;
constexpr std::size_t kMbrEntry = 446;
/// linux-generic of repart.d(5): the type that systemd-repart is told to make.
constexpr const char* kDataType = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";

void put(std::string& bytes, std::size_t offset, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c >= 'a' && c <= 'f' ? c - 'a' : c - 'A') + 10;
}

/// A GUID's text as its 16 bytes: the first three groups are little-endian (UEFI specification, appendix A).
std::string guid_bytes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i + 1 < text.size();) {
    if (text[i] == '-') {
      ++i;
      continue;
    }
    plain += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
    i += 2;
  }
  std::reverse(plain.begin(), plain.begin() + 4);
  std::reverse(plain.begin() + 4, plain.begin() + 6);
  std::reverse(plain.begin() + 6, plain.begin() + 8);
  return plain;
}

/// "GUID:60,63", the bits of an entry's attributes by their numbers.
std::uint64_t attribute_bits(std::string_view text) {
  std::uint64_t bits = 0;
  unsigned number = 0;
  bool inside = false;
  for (const char c : std::string(text) + ",") {
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<unsigned>(c - '0');
      inside = true;
    } else if (inside) {
      bits |= std::uint64_t{1} << number;
      number = 0;
      inside = false;
    }
  }
  return bits;
}

std::string encode_entries(const std::vector<image::Partition>& partitions) {
  std::string entries(disk::kTableEntries * disk::kTableEntrySize, '\0');
  for (const image::Partition& partition : partitions) {
    const std::size_t at = static_cast<std::size_t>(partition.number - 1) * disk::kTableEntrySize;
    entries.replace(at, 16, guid_bytes(partition.type));
    entries.replace(at + 16, 16, guid_bytes(partition.uuid));
    put(entries, at + 32, partition.start / kSectorSize, 8);
    put(entries, at + 40, (partition.start + partition.size) / kSectorSize - 1, 8);
    put(entries, at + 48, attribute_bits(partition.attributes), 8);
    for (std::size_t i = 0; i < partition.label.size(); ++i) entries[at + 56 + 2 * i] = partition.label[i];
  }
  return entries;
}

std::string encode_header(std::uint64_t here, std::uint64_t other, std::uint64_t entries_at,
                          std::uint64_t sectors, const disk::Table& table) {
  std::string header(kSectorSize, '\0');
  header.replace(0, 8, "EFI PART");
  put(header, 8, 0x00010000, 4);
  put(header, 12, disk::kTableHeaderSize, 4);
  put(header, 24, here, 8);
  put(header, 32, other, 8);
  put(header, 40, disk::kTableSectors, 8);
  put(header, 48, sectors - disk::kTableSectors, 8);
  header.replace(56, 16, table.disk_guid);
  put(header, 72, entries_at, 8);
  put(header, 80, disk::kTableEntries, 4);
  put(header, 84, disk::kTableEntrySize, 4);
  put(header, 88, disk::crc32(table.entries), 4);
  put(header, 16, disk::crc32(std::string_view(header).substr(0, disk::kTableHeaderSize)), 4);
  return header;
}

/// What machine a disk is for, by the partitions that it has. Whether that is true the record of the disk
/// says.
platform::Machine machine_of(const std::vector<disk::Partition>& partitions) {
  platform::Machine machine;
  bool bios = false;
  for (const disk::Partition& partition : partitions) {
    bios = bios || partition.number == image::kBiosNumber;
    if (partition.number == image::kUsrNumberA)
      machine.architecture = platform::architecture_of_usr(partition.type).value_or(machine.architecture);
  }
  if (!bios) std::erase(machine.boot, platform::BootMethod::grub_bios);
  return machine;
}

}  // namespace

TableBytes encode_table(const disk::Table& table) {
  const std::uint64_t sectors = table.end / kSectorSize;
  std::string mbr(kSectorSize, '\0');
  // One entry over the whole disk, whose places as cylinder, head and sector are the first and "beyond".
  put(mbr, kMbrEntry, 0x00'02'00'00, 4);
  put(mbr, kMbrEntry + 4, 0xff'ff'ff'ee, 4);
  put(mbr, kMbrEntry + 8, 1, 4);
  put(mbr, kMbrEntry + 12, std::min<std::uint64_t>(sectors - 1, 0xffffffff), 4);
  put(mbr, kSectorSize - 2, 0xaa55, 2);
  TableBytes bytes;
  bytes.first = mbr + encode_header(1, sectors - 1, 2, sectors, table) + table.entries;
  bytes.second = table.entries + encode_header(sectors - 1, 1, sectors - 1 - kEntrySectors, sectors, table);
  return bytes;
}

disk::Table table_of(const std::vector<image::Partition>& partitions, const std::string& disk_uuid,
                     std::uint64_t end) {
  return {encode_entries(partitions), guid_bytes(disk_uuid), end};
}

disk::Table Contents::as_changed(disk::Table fresh) const {
  fresh.end = table.end;
  if (!data) return fresh;
  const std::size_t at = static_cast<std::size_t>(data->number - 1) * disk::kTableEntrySize;
  fresh.entries.replace(at, disk::kTableEntrySize, table.entries, at, disk::kTableEntrySize);
  return fresh;
}

disk::Table Contents::table_alone() const {
  disk::Table alone = table;
  if (data)
    alone.entries.replace(static_cast<std::size_t>(data->number - 1) * disk::kTableEntrySize,
                          disk::kTableEntrySize, disk::kTableEntrySize, '\0');
  return alone;
}

disk::Extent Contents::tail() const {
  // An image ends within two MiB; what is longer is the room of a disk.
  constexpr std::uint64_t kLongestTail = 2 * image::kMebibyte;
  const std::uint64_t second_copy = table.end - std::min(table.end, (kEntrySectors + 1) * kSectorSize);
  if (data || second_copy < end || second_copy - end > kLongestTail) return {end, 0};
  return {end, second_copy - end};
}

bool Contents::is_image(const Disk& disk) const {
  return !data && table.end == disk.size() && free_space(disk) == 0;
}

std::uint64_t Contents::free_space(const Disk& disk) const {
  const std::uint64_t used = end + tail().size + (data ? data->size : 0) + (kEntrySectors + 1) * kSectorSize;
  return disk.size() - std::min(disk.size(), used);
}

Result<Contents> read_contents(const Disk& disk) {
  TRY(disk::Table table, disk::read_table(disk));
  TRY(const auto found, disk::partitions_in(table, disk));
  Contents contents;
  contents.table = std::move(table);
  const auto size_of = [&](image::PartitionNumber number) -> std::uint64_t {
    for (const disk::Partition& partition : found)
      if (partition.number == number) return partition.size;
    return 0;
  };
  contents.layout = {size_of(image::kEspNumber), size_of(image::kBootNumberA), size_of(image::kUsrNumberA),
                     size_of(image::kRootNumberA), machine_of(found)};
  const auto partitions = image::place_partitions(contents.layout, "");
  if (partitions) contents.end = partitions->back().start + partitions->back().size;
  if (!partitions || contents.end > std::min(disk.size(), disk::kMostDisk))
    return fail(ErrorKind::integrity,
                fmt::format("{} does not have the partitions of an image", disk.path().string()),
                fmt::format("only what `{}` has made, or a disk that it was copied to, can be verified",
                            own_command({"build"})));
  // A table that ends before the image does was written for another disk: that shows where it is compared.
  if (contents.table.end < contents.end + (kEntrySectors + 1) * kSectorSize) contents.table.end = disk.size();
  // Of what a machine adds, only this; anything else is found in the table.
  for (const disk::Partition& partition : found)
    if (partition.label == image::kDataLabel && partition.type == kDataType &&
        partition.number > image::kRootNumberB)
      contents.data = partition;
  return contents;
}

Status check_table(const Disk& disk, const disk::Table& table, Check& check) {
  const TableBytes expected = encode_table(table);
  const Places places = Places::outside_partitions(table.end);
  const std::uint64_t second = table.end - expected.second.size();
  TRY(const std::string first, disk.read(0, expected.first.size()));
  TRY(const std::string last, disk.read(second, expected.second.size()));
  // The code in front of the master boot record's entries is looked at elsewhere.
  add_differences(disk::kMasterBootCodeSize,
                  std::string_view(expected.first).substr(disk::kMasterBootCodeSize),
                  std::string_view(first).substr(disk::kMasterBootCodeSize), places, check);
  add_differences(second, expected.second, last, places, check);
  return ok();
}

}  // namespace mailstead::verify
