// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/fat.hpp"

#include <filesystem>

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::disk;

namespace {

constexpr std::uint64_t kStart = 1u << 20;
constexpr std::uint64_t kSize = 40u << 20;

/// A disk with a file system that mkfs.fat and mtools have written, at 1 MiB.
struct Made {
  test::DiskFile file{kStart + kSize};

  Made() {
    const std::string image = file.path().string() + "@@1M";
    test::output_of({"mkfs.fat", "--invariant", "-F", "32", "-s", "1", "--offset", "2048",
                     file.path().string(), std::to_string(kSize / 1024)});
    test::output_of({"mmd", "-i", image, "::EFI"});
    test::output_of({"mcopy", "-i", image, "-", "::vmlinuz"}, std::string(5000, 'k'));
    test::output_of({"mcopy", "-i", image, "-", "::EFI/A long name.efi"}, "long");
    test::output_of({"mcopy", "-i", image, "-", "::empty"}, "");
  }
  Result<FatVolume> read(FatCopies copies = {}) const {
    return read_fat(file.open(), {kStart, kSize}, copies);
  }
};

const FatEntry& entry(const FatVolume& volume, std::string_view path) {
  for (const FatEntry& one : volume.entries)
    if (one.path == path) return one;
  FAIL("no " << path);
  return volume.entries.front();
}

}  // namespace

TEST_CASE("Files that mtools has written are found with their names, clusters and contents") {
  const Made made;
  const auto volume = made.read();
  REQUIRE(volume);
  CHECK(volume->entries.size() == 5);
  CHECK(entry(*volume, "").directory);
  CHECK(entry(*volume, "EFI").directory);
  CHECK(entry(*volume, "empty").extents.empty());
  const Disk disk = made.file.open();
  const FatEntry& kernel = entry(*volume, "vmlinuz");
  REQUIRE(kernel.extents.size() == 1);
  CHECK(kernel.extents[0].size == 5120);
  CHECK(read_fat_file(disk, kernel).value() == std::string(5000, 'k'));
  CHECK(read_fat_file(disk, entry(*volume, "EFI/A long name.efi")).value() == "long");
}

TEST_CASE("What is damaged in one copy is read by the other") {
  const Made made;
  const auto volume = made.read().value();
  const FatEntry kernel = entry(volume, "vmlinuz");
  SECTION("boot sector") {
    made.file.flip(kStart + 510);
    CHECK_FALSE(made.read());
    CHECK(made.read({true, false}));
  }
  SECTION("table") {
    const std::uint64_t cluster = (kernel.extents[0].start - volume.clusters.start) / 512 + 2;
    std::string bytes = made.file.bytes();
    bytes.replace(volume.tables[0].start + cluster * 4, 4, std::string("\xff\xff\xff\x01", 4));
    made.file.write(bytes);
    CHECK_FALSE(made.read());
    CHECK(made.read({false, true}));
  }
  CHECK(read_any_fat(made.file.open(), {kStart, kSize}));
}

TEST_CASE("A chain that bites its tail ends the reading") {
  const Made made;
  const auto volume = made.read().value();
  const std::uint64_t cluster = (entry(volume, "vmlinuz").extents[0].start - volume.clusters.start) / 512 + 2;
  std::string bytes = made.file.bytes();
  for (const Extent& table : volume.tables)
    for (int i = 0; i < 4; ++i)
      bytes[table.start + cluster * 4 + static_cast<std::uint64_t>(i)] =
          static_cast<char>(cluster >> (8 * i) & 0xff);
  made.file.write(bytes);
  const auto read = read_any_fat(made.file.open(), {kStart, kSize});
  REQUIRE_FALSE(read);
  CHECK(read.error().message == "the FAT file system is damaged: a chain of clusters leads nowhere");
}

TEST_CASE("A table of 2^32 sectors, or one that only a huge disk has room for, is refused") {
  const Made made;
  const auto patched = [&](std::string_view sectors, std::uint64_t size) {
    std::string bytes = made.file.bytes();
    bytes.replace(kStart + 36, 4, sectors);
    made.file.write(bytes);
    std::filesystem::resize_file(made.file.path(), kStart + size);
    return read_fat(made.file.open(), {kStart, size});
  };
  for (const std::uint64_t size : {kSize, std::uint64_t{8} << 40}) {
    const auto read = patched("\xff\xff\xff\xff", size);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::integrity);
    CHECK(read.error().message == (size == kSize
                                       ? "the FAT file system is damaged: its boot sector makes no sense"
                                       : "the FAT file system is damaged: its table is too large, "
                                         "2199023255040 bytes"));
    std::filesystem::resize_file(made.file.path(), kStart + kSize);
  }
}

TEST_CASE("Two files that share a cluster are damage: reading many of them would take for ever") {
  const Made made;
  const auto volume = made.read().value();
  const std::uint64_t kernel = (entry(volume, "vmlinuz").extents[0].start - volume.clusters.start) / 512 + 2;
  std::string bytes = made.file.bytes();
  const std::size_t name = bytes.find("EMPTY      ", volume.clusters.start);
  REQUIRE(name != std::string::npos);
  bytes[name + 26] = static_cast<char>(kernel);
  made.file.write(bytes);
  const auto read = made.read();
  REQUIRE_FALSE(read);
  CHECK(read.error().message == "the FAT file system is damaged: a chain of clusters leads nowhere");
}

TEST_CASE("Bytes that are no FAT file system are refused") {
  CHECK_FALSE(read_any_fat(test::DiskFile(kStart + kSize).open(), {kStart, kSize}));
  CHECK_FALSE(read_any_fat(test::DiskFile(100).open(), {0, 100}));
}

TEST_CASE("A file is found by its path in whatever case, and read up to a limit") {
  const Made made;
  const Disk disk = made.file.open();
  const auto read = [&](std::string_view path, std::uint64_t limit) {
    return read_fat_file(disk, {kStart, kSize}, path, limit);
  };
  CHECK(read("VMLinuz", 5000).value() == std::string(5000, 'k'));
  CHECK(read("efi/a long name.EFI", 100).value() == "long");
  CHECK(read("empty", 0).value().empty());
  CHECK(read("vmlinuz", 4999).error().message == "vmlinuz is too large: 5000 bytes");
  CHECK(read("vmlinu", 5000).error().message == "there is no vmlinu");
  CHECK(read("EFI", 5000).error().kind == ErrorKind::integrity);  // a folder
  CHECK(read_fat_file(disk, {0, kStart}, "vmlinuz", 5000)
            .error()
            .message.starts_with("the FAT file system is damaged"));
}
