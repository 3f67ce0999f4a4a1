// SPDX-License-Identifier: GPL-3.0-or-later
// What the writers refuse before any tool runs; that their output is right, tests/system looks at.
#include <filesystem>

#include "base/files.hpp"
#include "image/disk.hpp"
#include "image/image.hpp"
#include "image/partitions.hpp"
#include "support/catch.hpp"
#include "tools/toolbox.hpp"

using namespace mailstead;
using namespace mailstead::image;

namespace {

struct Fixture {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  std::unique_ptr<Reporter> reporter = make_quiet_reporter();
  /// No package, so no program.
  tools::Toolbox toolbox = tools::Toolbox::make(folder.path(), {}, {}, 0, *reporter).value();
};

}  // namespace

TEST_CASE("Files that a FAT partition cannot hold are refused with its name and what is needed") {
  Fixture fixture;
  const std::vector<FatFile> files = {{"vmlinuz", rootfs::Content(std::string(3 * kMebibyte, 'k'))}};
  const auto out = fixture.folder.path() / "boot.img";
  const auto written =
      write_fat(files, 4 * kMebibyte, "BOOT-A", "scope", 1'700'000'000, fixture.toolbox, out);
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::usage);
  CHECK(written.error().message == "the partition BOOT-A has 4.2 MB, its files need 4.3 MB");
  CHECK(written.error().hint == "raise its size in the profile");
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("A writer names the program that the locked tools lack") {
  Fixture fixture;
  const auto out = fixture.folder.path() / "out";
  const auto missing = [](const Status& status) {
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::tool);
    return status.error().message;
  };
  const std::string kPrefix = "no locked tool package has the program ";
  CHECK(missing(write_fat({}, 4 * kMebibyte, "ESP", "scope", 0, fixture.toolbox, out)) ==
        kPrefix + "'mkfs.fat'");
  CHECK(missing(write_squashfs({}, {}, fixture.toolbox, out)) == kPrefix + "'mksquashfs'");
  CHECK(missing(write_initrd({}, 0, fixture.toolbox, out)) == kPrefix + "'zstd'");
}

TEST_CASE("A hash tree is not appended to a file that is not there") {
  Fixture fixture;
  const auto file = fixture.folder.path() / "usr.squashfs";
  const auto image = append_verity(file, "scope", fixture.toolbox);
  REQUIRE_FALSE(image);
  CHECK(image.error().kind == ErrorKind::io);
  CHECK(image.error().message == "cannot pad " + file.string() + ": No such file or directory");
}

TEST_CASE("A disk that cannot be written leaves nothing behind") {
  Fixture fixture;
  const auto out = fixture.folder.path() / "images";
  std::filesystem::create_directory(out);
  const Layout layout{2 * kMebibyte, kMebibyte, kMebibyte, kMebibyte};
  CHECK_FALSE(NewDisk::create(layout, "scope", fixture.toolbox, out / "disk.raw", 0));  // no sfdisk
  CHECK(std::filesystem::is_empty(out));
  const auto full = NewDisk::create(layout, "scope", fixture.toolbox, out / "disk.raw", 1ull << 62);
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == ErrorKind::io);
  CHECK(full.error().message.starts_with("the disk image needs "));
  CHECK(std::filesystem::is_empty(out));
  const auto nowhere = NewDisk::create(layout, "scope", fixture.toolbox, out / "missing" / "disk.raw", 0);
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().kind == ErrorKind::io);
}
