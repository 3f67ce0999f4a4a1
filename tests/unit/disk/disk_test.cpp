// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/disk.hpp"

#include <sys/stat.h>

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::disk;

TEST_CASE("Bytes other than zero are found in runs") {
  const test::DiskFile file(std::uint64_t{3u << 20});
  file.flip(10);
  file.flip(100);
  file.flip(2u << 20);
  std::vector<Extent> runs;
  const auto collect = [&](Extent run) {
    runs.push_back(run);
    return ok();
  };
  REQUIRE(file.open().find_data({5, (3u << 20) - 5}, collect));
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].start == 10);
  CHECK(runs[0].size == 91);
  CHECK(runs[1].start == 2u << 20);
  runs.clear();
  REQUIRE(file.open().find_data({101, 1u << 20}, collect));
  CHECK(runs.empty());
}

TEST_CASE("No more is read at once than fits into memory, however large a disk of holes is") {
  const test::DiskFile file(std::uint64_t{8} << 40);
  const Disk disk = file.open();
  const auto read = disk.read(4096, std::uint64_t{1} << 42);
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == ErrorKind::integrity);
  CHECK(read.error().message.find("is too large: 4398046511104 bytes") != std::string::npos);
  CHECK_FALSE(disk.read(disk.size(), 1));
  CHECK_FALSE(disk.read(~std::uint64_t{0} - 1, 4096));
}

TEST_CASE("What is handed on as data has no zeros at its ends, and leaves nothing else out") {
  const test::DiskFile file(std::uint64_t{8u << 20});
  file.write_at(5, "first");
  file.write_at((1u << 20) - 2, "over");  // the end of a block
  file.write_at((7u << 20) + 5000, "last");
  std::string seen(8u << 20, '\0');
  std::uint64_t handed = 0;
  REQUIRE(file.open().stream_data({6, (8u << 20) - 6}, [&](std::uint64_t offset, std::string_view block) {
    CHECK(block.front() != '\0');
    CHECK(block.back() != '\0');
    seen.replace(offset, block.size(), block);
    handed += block.size();
    return ok();
  }));
  std::string expected = file.bytes();
  expected[5] = '\0';
  CHECK(seen == expected);
  CHECK(handed < 3u << 20);
}

TEST_CASE("Nothing is read beyond the disk, by whichever way") {
  const test::DiskFile file(std::uint64_t{1u << 20});
  const Disk disk = file.open();
  const auto nothing = [](std::uint64_t, std::string_view) { return ok(); };
  for (const Extent extent : {Extent{(1u << 20) - 1, 2}, Extent{1, ~std::uint64_t{0}}, Extent{2u << 20, 0}}) {
    CHECK(disk.stream(extent, nothing).error().kind == ErrorKind::integrity);
    CHECK(disk.stream_data(extent, nothing).error().kind == ErrorKind::integrity);
    CHECK_FALSE(disk.copy(extent, file.path().string() + ".copy"));
    std::filesystem::remove(file.path().string() + ".copy");
  }
  CHECK(Disk::open(file.path().string() + ".missing").error().kind == ErrorKind::io);
}

TEST_CASE("A copy has the same bytes, is private, and never overwrites") {
  const test::DiskFile file(std::uint64_t{4u << 20});
  file.write_at(1000, "start");
  file.write_at(3u << 20, "end");
  const std::filesystem::path copy = file.path().string() + ".copy";
  REQUIRE(file.open().copy({1000, 3u << 20}, copy));
  CHECK(read_file(copy).value() == file.bytes().substr(1000, 3u << 20));
  struct stat status{};
  REQUIRE(::stat(copy.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(status.st_blocks * 512 < 3 << 20);
  CHECK(file.open().copy({0, 1}, copy).error().kind == ErrorKind::io);
}

TEST_CASE("A file of more than 16 GiB is no image") {
  CHECK(test::DiskFile(kMostDisk).open().check_size());
  const test::DiskFile file(kMostDisk + 1);
  const auto refused = file.open().check_size();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::integrity);
  CHECK(refused.error().message ==
        file.path().string() + " is too large: 17179869185 bytes, where an image has 17179869184 at most");
}
