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

#include "disk/disk.hpp"
#include "disk/fat.hpp"
#include "disk/gpt.hpp"
#include "disk/squashfs.hpp"
#include "disk/verity.hpp"
#include "image/grub.hpp"
#include "image/records.hpp"
#include "inspect/dpkg_status.hpp"
#include "inspect/services.hpp"
#include "inspect/slots.hpp"
#include "verify/gpt.hpp"
#include "verify/hash_trees.hpp"
#include "verify/places.hpp"
#include "verify/squashfs.hpp"

namespace {

using namespace mailstead;

constexpr std::uint64_t kDisk = 11u << 20;  // the smallest that has all partitions

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
  disk::Disk open() const { return disk::Disk::open("/proc/self/fd/" + std::to_string(file_.get())).value(); }

 private:
  void put(std::string_view bytes, std::uint64_t offset) {
    require(::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
            static_cast<ssize_t>(bytes.size()));
  }
  FileDescriptor file_;
};

void require_inside(const disk::Extent& extent) {
  require(extent.start <= kDisk && extent.size <= kDisk - extent.start);
}

void read_fat(std::string_view bytes) {
  const MemoryDisk memory(bytes);
  const disk::Disk disk = memory.open();
  const auto volume = disk::read_any_fat(disk, {0, kDisk});
  if (!volume) return;
  for (const disk::Extent& table : volume->tables) require_inside(table);
  require_inside(volume->clusters);
  std::uint64_t taken = 0;
  for (const disk::FatEntry& entry : volume->entries) {
    for (const disk::Extent& extent : entry.extents) {
      require_inside(extent);
      taken += extent.size;
    }
    const auto content = disk::read_fat_file(disk, entry);
    require(!content || content->size() == entry.size);
  }
  require(taken <= kDisk);
  constexpr std::uint64_t kLimit = 65'536;
  const auto config = disk::read_fat_file(disk, {0, kDisk}, "slot-a.cfg", kLimit);
  require(!config || config->size() <= kLimit);
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
  put(table, 88, disk::crc32(std::string_view(table).substr(kSector)));
  put(table, 16, 0);
  put(table, 16, disk::crc32(std::string_view(table).substr(0, 92)));
  const MemoryDisk memory(table, kSector, bytes.substr(std::min(bytes.size(), kSector + kEntries), kSector));
  const disk::Disk disk = memory.open();
  std::uint64_t end = 0;
  if (const auto found = disk::read_partitions(disk))
    for (const disk::Partition& one : *found) {
      require_inside(one.extent());
      require(one.size > 0 && one.start >= end);
      end = one.extent().end();
    }
  const auto contents = verify::read_contents(disk);
  if (!contents) return;
  const auto partitions = image::place_partitions(contents->layout, "");
  require(partitions.has_value() && contents->end <= kDisk && contents->table.end <= kDisk);
  if (contents->data) require_inside(contents->data->extent());
  require_inside(contents->tail());
  const verify::Places places = verify::Places::of(disk, *partitions, contents->table.end);
  for (std::uint64_t at = 0; at < kDisk; at += 65'536) require(!places.at(at).structure.empty());
}

void read_squashfs(std::string_view bytes) {
  const MemoryDisk memory(bytes);
  const disk::Disk disk = memory.open();
  for (const std::uint64_t room : {kDisk, std::uint64_t{8192}}) {
    const auto superblock = disk::read_squashfs_superblock(disk, {0, room});
    require(!superblock || superblock->used <= room);
    for (const auto& [extent, name] : verify::squashfs_regions(disk, {0, room})) {
      require_inside(extent);
      require(extent.end() <= room + 4096);
    }
  }
}

/// The superblock of a hash tree and its top block, behind sixteen blocks of data that begin with a squashfs
/// superblock; the rest of the bytes is the file of a slot, which says where the tree is.
void read_verity(std::string_view bytes) {
  constexpr std::uint64_t kTree = 16 * disk::kVerityBlock;
  constexpr std::size_t kSuperblock = 512;
  const auto take = [&](std::size_t size) {
    const std::string_view part = bytes.substr(0, size);
    bytes.remove_prefix(part.size());
    return part;
  };
  std::string tail(kTree + 2 * disk::kVerityBlock, '\0');
  const auto put_at = [&](std::size_t offset, std::string_view part) {
    tail.replace(offset, part.size(), part);
  };
  put_at(kTree, take(kSuperblock));
  put_at(0, take(disk::kSquashfsSuperblockSize));
  put_at(kTree + disk::kVerityBlock, take(32 * 16));
  const MemoryDisk memory(tail);
  const disk::Disk disk = memory.open();
  if (const auto superblock = disk::read_verity_superblock(disk, kTree)) {
    require(superblock->salt.size() <= 256);
    const auto hash = disk::verity_root_hash(disk, {0, kTree});
    require(hash.has_value() == (superblock->data_blocks == 16) && (!hash || hash->size() == 64));
  }

  image::Partition partition;
  partition.size = 1u << 20;
  verify::Places places;
  places.add({0, partition.size}, {"partition", {}, {}});
  verify::Check check;
  const auto tree = verify::check_root_tree(disk, bytes, partition, places, check);
  require(tree.has_value() && tree->size % disk::kVerityBlock == 0);
  require(tree->size == 0 ? !check.findings.empty() : tree->end() <= partition.size);
  for (const verify::Finding& finding : check.findings) require(*finding.offset < partition.size);
}

void read_records(std::string_view bytes) {
  // What is accepted can be written, and read again as the same.
  if (const auto record = image::read_slot_record(bytes)) {
    const std::string json = image::to_json(*record);
    require(image::to_json(image::read_slot_record(json).value()) == json);
  }
  if (const auto record = image::read_disk_record(bytes)) {
    const std::string json = image::to_json(*record);
    require(image::to_json(image::read_disk_record(json).value()) == json);
  }
  if (const auto record = image::read_base_record(bytes)) {
    const std::string json = image::to_json(*record);
    require(image::to_json(image::read_base_record(json).value()) == json);
  }
}

void read_packages(std::string_view bytes) {
  (void)inspect::read_dpkg_status(bytes);
}

void read_slot(std::string_view bytes) {
  inspect::Slot slot;
  slot.command_line = inspect::command_line_in(bytes);
  require(slot.argument("roothash").size() <= slot.command_line.size());
  (void)inspect::kernel_release_in(bytes);
  if (const auto state = image::read_boot_state(bytes)) require(image::boot_state_block(*state) == bytes);
  (void)inspect::open_ports(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array kReaders = {read_fat,     read_gpt,      read_squashfs, read_verity,
                                   read_records, read_packages, read_slot};
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kReaders[data[0] % kReaders.size()](bytes.substr(1));
  return 0;
}
