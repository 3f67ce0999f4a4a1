// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/gpt.hpp"

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::verify;

namespace {

using image::kMebibyte;

std::vector<image::Partition> partitions() {
  return image::place_partitions({2 * kMebibyte, kMebibyte, 3 * kMebibyte, kMebibyte}, "scope").value();
}

TableBytes expected_for(const disk::Disk& disk) {
  return encode_table(partitions(), image::disk_uuid("scope"), disk.size());
}

/// A disk on which sfdisk has written the table.
test::DiskFile made_by_sfdisk() {
  test::DiskFile disk(image::disk_size(partitions()));
  test::output_of({"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", disk.path().string()},
                  image::sfdisk_script(partitions(), "scope"));
  return disk;
}

std::vector<Finding> findings_of(const disk::Disk& disk) {
  Check check;
  REQUIRE(check_table(disk, expected_for(disk), check));
  return check.findings;
}

}  // namespace

TEST_CASE("What is put together here is what sfdisk writes, both copies, to the byte") {
  const test::DiskFile file = made_by_sfdisk();
  const disk::Disk disk = file.open();
  CHECK(findings_of(disk).empty());
  const auto layout = read_layout(disk);
  REQUIRE(layout);
  CHECK(layout->esp_size == 2 * kMebibyte);
  CHECK(layout->boot_size == kMebibyte);
  CHECK(layout->usr_size == 3 * kMebibyte);
  CHECK(layout->root_size == kMebibyte);
}

TEST_CASE("A flipped byte in either copy is found, named, and the layout known from the other copy") {
  const test::DiskFile file = made_by_sfdisk();
  const std::uint64_t size = file.open().size();
  const std::pair<std::uint64_t, const char*> places[] = {
      {441, "master boot record: partition entry"},
      {458, "master boot record: partition entry"},
      {510, "master boot record: partition entry"},
      {512, "first partition table: header"},
      {512 + 60, "first partition table: header"},
      {512 + 300, "first partition table: header"},
      {1024 + 33, "first partition table: entries"},
      {1024 + 128 * 100, "first partition table: entries"},
      {size - 33 * 512, "second partition table: entries"},
      {size - 512 + 17, "second partition table: header"},
      {size - 1, "second partition table: header"}};
  for (const auto& [offset, name] : places) {
    INFO(name << " " << offset);
    file.flip(offset);
    const disk::Disk disk = file.open();
    const auto findings = findings_of(disk);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].structure == name);
    CHECK(findings[0].offset == offset);
    CHECK(read_layout(disk));
    file.flip(offset);
  }
  file.flip(512);
  file.flip(size - 512);
  CHECK_FALSE(read_layout(file.open()));
}

TEST_CASE("A table of other partitions, or on a disk that has grown, is none of a fresh image") {
  const test::DiskFile file = made_by_sfdisk();
  std::filesystem::resize_file(file.path(), file.open().size() + kMebibyte);
  const auto grown = read_layout(file.open());
  REQUIRE_FALSE(grown);
  CHECK(grown.error().message.find("does not have the partitions of a fresh image") != std::string::npos);
  CHECK(read_layout(test::DiskFile(100).open()).error().message.ends_with("is too short for a disk"));
}
