// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/gpt.hpp"

#include <algorithm>

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::verify;

namespace {

using image::kMebibyte;

std::vector<image::Partition> partitions() {
  return image::place_partitions({2 * kMebibyte, kMebibyte, 3 * kMebibyte, kMebibyte}, "scope").value();
}

disk::Table fresh_table(std::uint64_t end) {
  return table_of(partitions(), image::disk_uuid("scope"), end);
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
  REQUIRE(check_table(disk, fresh_table(disk.size()), check));
  return check.findings;
}

/// What is wrong with the table of a disk that has, or may have, more than an image.
std::vector<Finding> findings_on(const disk::Disk& disk) {
  const auto contents = read_contents(disk);
  REQUIRE(contents);
  Check check;
  REQUIRE(check_table(disk, contents->as_changed(fresh_table(0)), check));
  return check.findings;
}

/// As systemd-repart leaves a disk, by the same library: the second copy at its end, another partition behind
/// ours.
void use_up(const test::DiskFile& file, std::uint64_t size, const std::string& partition) {
  std::filesystem::resize_file(file.path(), size);
  test::output_of({"sfdisk", "--quiet", "--lock=no", "--relocate", "gpt-bak-std", file.path().string()});
  test::output_of(
      {"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", "--append", file.path().string()},
      partition + "\n");
}

}  // namespace

TEST_CASE("What is put together here is what sfdisk writes, both copies, to the byte") {
  const test::DiskFile file = made_by_sfdisk();
  const disk::Disk disk = file.open();
  CHECK(findings_of(disk).empty());
  const auto contents = read_contents(disk);
  REQUIRE(contents);
  CHECK(contents->layout.esp_size == 2 * kMebibyte);
  CHECK(contents->layout.boot_size == kMebibyte);
  CHECK(contents->layout.usr_size == 3 * kMebibyte);
  CHECK(contents->layout.root_size == kMebibyte);
  CHECK(contents->is_image(disk));
  CHECK(contents->tail().size > 0);
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
    CHECK(read_contents(disk));
    file.flip(offset);
  }
  file.flip(512);
  file.flip(size - 512);
  CHECK_FALSE(read_contents(file.open()));
}

TEST_CASE("An image on a larger disk is the image, and the rest is free space") {
  const test::DiskFile file = made_by_sfdisk();
  const std::uint64_t image = file.open().size();
  std::filesystem::resize_file(file.path(), image + 64 * kMebibyte);
  const disk::Disk disk = file.open();
  const auto contents = read_contents(disk);
  REQUIRE(contents);
  CHECK(contents->table.end == image);
  CHECK_FALSE(contents->is_image(disk));
  CHECK_FALSE(contents->data);
  CHECK(contents->free_space(disk) == 64 * kMebibyte);
  CHECK(contents->tail().size > 0);
  CHECK(findings_on(disk).empty());
}

TEST_CASE("The disk of a machine that has run has a data partition, and its table is proved but for that") {
  const test::DiskFile file = made_by_sfdisk();
  constexpr std::uint64_t kSize = 128 * kMebibyte;
  use_up(file, kSize, "size=64MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=mailstead-data");
  const disk::Disk disk = file.open();
  const auto contents = read_contents(disk);
  REQUIRE(contents);
  CHECK(contents->table.end == kSize);
  REQUIRE(contents->data);
  CHECK(contents->data->size == 64 * kMebibyte);
  CHECK(contents->tail().size == 0);
  CHECK(contents->free_space(disk) > 0);
  CHECK(contents->free_space(disk) < 64 * kMebibyte);
  CHECK(findings_on(disk).empty());
  // A byte of the table that is not the data partition's is proved as ever.
  file.flip(1024 + 33);
  CHECK_FALSE(findings_on(file.open()).empty());
}

TEST_CASE("Any other partition that was added is found") {
  for (const char* partition :
       {"size=8MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=other",
        "size=8MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=mailstead-data"}) {
    const test::DiskFile file = made_by_sfdisk();
    use_up(file, 64 * kMebibyte, partition);
    INFO(partition);
    const auto findings = findings_on(file.open());
    REQUIRE_FALSE(findings.empty());
    CHECK(std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
      return finding.structure == "first partition table: entries";
    }));
  }
}

TEST_CASE("What has no partitions of an image is none") {
  const test::DiskFile file(32 * kMebibyte);
  test::output_of({"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", file.path().string()},
                  "label: gpt\nsize=8MiB\n");
  const auto contents = read_contents(file.open());
  REQUIRE_FALSE(contents);
  CHECK(contents.error().message == file.path().string() + " does not have the partitions of an image");
  CHECK(read_contents(test::DiskFile(100).open()).error().message.ends_with("is too short for a disk"));
}
