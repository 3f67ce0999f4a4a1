// SPDX-License-Identifier: GPL-3.0-or-later
// What reads disk images on arbitrary bytes: the first byte chooses the reader. Each answers with a value or
// an error, and no value points out of the disk.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "image/records.hpp"
#include "inspect/dpkg_status.hpp"
#include "inspect/partition_table.hpp"
#include "inspect/services.hpp"
#include "inspect/slots.hpp"
#include "verify/fat.hpp"
#include "verify/gpt.hpp"
#include "verify/places.hpp"
#include "verify/squashfs.hpp"

namespace {

using namespace mailstead;

constexpr std::uint64_t kDisk = 10u << 20;  // the smallest that has all partitions

void require(bool condition) {
  if (!condition) std::abort();
}

/// A disk of holes with the bytes at `offset`, and `last` at its end.
class MemoryDisk {
 public:
  explicit MemoryDisk(std::string_view bytes, std::uint64_t offset = 0, std::string_view last = {})
      : file_(::memfd_create("fuzz.img", MFD_CLOEXEC)) {
    require(::ftruncate(file_.get(), static_cast<off_t>(kDisk)) == 0);
    put(bytes.substr(0, kDisk - offset), offset);
    put(last, kDisk - last.size());
  }
  verify::Disk open() const {
    return verify::Disk::open("/proc/self/fd/" + std::to_string(file_.get())).value();
  }

 private:
  void put(std::string_view bytes, std::uint64_t offset) {
    require(::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
            static_cast<ssize_t>(bytes.size()));
  }
  FileDescriptor file_;
};

void require_inside(const verify::Extent& extent) {
  require(extent.start <= kDisk && extent.size <= kDisk - extent.start);
}

void read_fat(std::string_view bytes) {
  const MemoryDisk memory(bytes);
  const verify::Disk disk = memory.open();
  const auto volume = verify::read_any_fat(disk, {0, kDisk});
  if (!volume) return;
  for (const verify::Extent& table : volume->tables) require_inside(table);
  require_inside(volume->clusters);
  std::uint64_t taken = 0;
  for (const verify::FatEntry& entry : volume->entries) {
    for (const verify::Extent& extent : entry.extents) {
      require_inside(extent);
      taken += extent.size;
    }
    const auto content = verify::read_fat_file(disk, entry);
    require(!content || content->size() == entry.size);
  }
  require(taken <= kDisk);
}

void put(std::string& bytes, std::size_t offset, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[offset + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

/// Checksums are set right, as no mutation would do that.
void read_gpt(std::string_view bytes) {
  constexpr std::size_t kSector = 512;
  constexpr std::size_t kEntries = 128 * 128;
  std::string table(bytes.substr(0, kSector + kEntries));
  table.resize(kSector + kEntries, '\0');
  put(table, 88, verify::crc32(std::string_view(table).substr(kSector)));
  put(table, 16, 0);
  put(table, 16, verify::crc32(std::string_view(table).substr(0, 92)));
  const MemoryDisk memory(table, kSector, bytes.substr(std::min(bytes.size(), kSector + kEntries), kSector));
  const verify::Disk disk = memory.open();
  const auto layout = verify::read_layout(disk);
  if (!layout) return;
  const auto partitions = image::place_partitions(*layout, "");
  require(partitions.has_value() && image::disk_size(*partitions) == kDisk);
  const verify::Places places = verify::Places::of(disk, *partitions);
  for (std::uint64_t at = 0; at < kDisk; at += 65'536) require(!places.at(at).structure.empty());
}

void read_squashfs(std::string_view bytes) {
  const MemoryDisk memory(bytes);
  const verify::Disk disk = memory.open();
  for (const std::uint64_t room : {kDisk, std::uint64_t{8192}})
    for (const auto& [extent, name] : verify::squashfs_regions(disk, 0, room)) {
      require_inside(extent);
      require(extent.end() <= room + 4096);
    }
}

void read_table(std::string_view bytes) {
  const auto partitions = inspect::parse_partition_table(bytes, kDisk);
  if (!partitions) return;
  for (const inspect::Partition& one : *partitions) require_inside({one.start, one.size});
}

void read_records(std::string_view bytes) {
  if (const auto record = image::read_image_record(bytes)) require(!image::to_json(*record).empty());
  if (const auto record = image::read_base_record(bytes)) require(!image::to_json(*record).empty());
}

void read_packages(std::string_view bytes) {
  (void)inspect::read_dpkg_status(bytes);
}

void read_slot(std::string_view bytes) {
  inspect::Slot slot;
  slot.command_line = inspect::command_line_in(bytes);
  require(slot.argument("roothash").size() <= slot.command_line.size());
  (void)inspect::kernel_release_in(bytes);
  (void)inspect::first_slot(bytes);
  (void)inspect::open_ports(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array kReaders = {read_fat,     read_gpt,      read_squashfs, read_table,
                                   read_records, read_packages, read_slot};
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kReaders[data[0] % kReaders.size()](bytes.substr(1));
  return 0;
}
