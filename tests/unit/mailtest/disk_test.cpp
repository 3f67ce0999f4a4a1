// SPDX-License-Identifier: GPL-3.0-or-later
// The readers of the data partition, against disks that the programs of e2fsprogs and util-linux have made.
#include "mailtest/disk.hpp"

#include "base/files.hpp"
#include "base/run.hpp"
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
