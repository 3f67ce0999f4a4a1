// SPDX-License-Identifier: GPL-3.0-or-later
// The readers of the data partition, against disks that the programs of e2fsprogs and util-linux have made.
#include "mailtest/disk.hpp"

#include "base/files.hpp"
#include "base/run.hpp"
#include "mailtest/disk_changes.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;

namespace {

namespace fs = std::filesystem;

/// A qcow2 disk of 32 MiB with one partition, and whatever has been done to it before it was wrapped.
struct Disk {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  fs::path raw = folder.path() / "raw.img";
  fs::path overlay = folder.path() / "overlay.qcow2";

  explicit Disk(const std::string& label) { REQUIRE(make_disk_with_partition(raw, label).has_value()); }
  void call(std::vector<std::string> words) {
    Command command;
    command.argv = std::move(words);
    const auto done = run(command);
    if (!done) FAIL(format_error(done.error()));
  }
  void wrap() { call({"qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw.string(), overlay.string()}); }
};

}  // namespace

TEST_CASE("the data partition is found, sound, and fills the disk") {
  Disk disk("mailstead-data");
  disk.wrap();
  const auto data = find_data_partition(disk.overlay, disk.folder.path());
  REQUIRE(data.has_value());
  CHECK(data->first_byte == 1u << 20);
  CHECK(data->bytes == 30u << 20);
  CHECK(check_data_sound(disk.overlay, disk.folder.path()).has_value());
  const auto fills = check_data_fills_disk(disk.overlay, disk.folder.path());
  if (!fills) FAIL(format_error(fills.error()));
  SECTION("a larger disk is not filled") {
    disk.call({"qemu-img", "resize", "-q", disk.overlay.string(), "96M"});
    const auto grown = check_data_fills_disk(disk.overlay, disk.folder.path());
    REQUIRE_FALSE(grown.has_value());
    CHECK(grown.error().kind == ErrorKind::integrity);
  }
  SECTION("nor a partition whose file system has stayed small") {
    fs::remove(disk.overlay);
    disk.call({"mkfs.ext4", "-q", "-F", "-E", "offset=1048576", disk.raw.string(), "8M"});
    disk.wrap();
    CHECK(check_data_sound(disk.overlay, disk.folder.path()).has_value());
    CHECK_FALSE(check_data_fills_disk(disk.overlay, disk.folder.path()).has_value());
  }
  SECTION("a damaged file system is not sound") {
    fs::remove(disk.overlay);
    // The bitmaps of the first group lie behind its superblock and descriptors.
    disk.call({"debugfs", "-w", "-R", "freeb 1 200", disk.raw.string() + "?offset=1048576"});
    disk.wrap();
    CHECK_FALSE(check_data_sound(disk.overlay, disk.folder.path()).has_value());
  }
}

TEST_CASE("a disk without data partition, or without a table, says so") {
  Disk disk("something-else");
  disk.wrap();
  const auto missing = find_data_partition(disk.overlay, disk.folder.path());
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message == "the appliance has not made its data partition");
  disk.call({"qemu-img", "create", "-q", "-f", "qcow2", disk.overlay.string(), "32M"});
  CHECK_FALSE(check_data_sound(disk.overlay, disk.folder.path()).has_value());
}

TEST_CASE("an image is written over a disk, whole or without its table") {
  Disk disk("mailstead-data");
  disk.wrap();
  const fs::path image = disk.folder.path() / "image";
  const std::string mib(1u << 20, 'x');
  REQUIRE(write_file(image, "A" + mib.substr(1) + "B" + mib.substr(1) + "C" + mib.substr(1)).has_value());
  const auto at = [&](std::uint64_t offset) {
    const fs::path piece = disk.folder.path() / "piece";
    REQUIRE(copy_out(disk.overlay, offset, 512, piece).has_value());
    return read_file(piece).value()[0];
  };
  REQUIRE(write_image(image, false, disk.overlay).has_value());
  CHECK(at(0) == '\0');
  CHECK(at(1u << 20) == 'B');
  CHECK(at(2u << 20) != 'C');
  CHECK(find_data_partition(disk.overlay, disk.folder.path()).has_value());
  REQUIRE(write_image(image, true, disk.overlay).has_value());
  CHECK(at(0) == 'A');
  CHECK(at(2u << 20) == 'C');
  CHECK_FALSE(find_data_partition(disk.overlay, disk.folder.path()).has_value());
}

TEST_CASE("bytes are written to any place, and nothing around them changes") {
  Disk disk("mailstead-data");
  disk.wrap();
  const fs::path copy = disk.folder.path() / "copy";
  REQUIRE(copy_disk(disk.overlay, copy).has_value());
  CHECK(check_same(disk.overlay, copy).has_value());
  std::string expected = read_file(copy).value();
  const std::uint64_t place = (20u << 20) + 1021;
  expected.replace(place, 7,
                   "a\0b\xff"
                   "cde",
                   7);
  REQUIRE(write_bytes(disk.overlay, place,
                      std::string_view("a\0b\xff"
                                       "cde",
                                       7),
                      disk.folder.path())
              .has_value());
  const auto differs = check_same(disk.overlay, copy);
  REQUIRE_FALSE(differs.has_value());
  CHECK(differs.error().kind == ErrorKind::integrity);
  REQUIRE(copy_disk(disk.overlay, copy).has_value());
  CHECK(read_file(copy).value() == expected);
}

TEST_CASE("debugfs reads and changes the data partition's file system") {
  Disk disk("mailstead-data");
  disk.wrap();
  const auto made = debugfs(disk.overlay, "mkdir /kept", disk.folder.path());
  if (!made) FAIL(format_error(made.error()));
  const auto listed = debugfs(disk.overlay, "ls -p /", disk.folder.path());
  REQUIRE(listed.has_value());
  CHECK(listed->find("/kept/") != std::string::npos);
  CHECK_FALSE(debugfs(disk.overlay, "no-such-request", disk.folder.path()).has_value());
}
