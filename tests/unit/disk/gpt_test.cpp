// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/gpt.hpp"

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::disk;

namespace {

constexpr std::uint64_t kMebibyte = 1u << 20;
constexpr std::uint64_t kSize = 8 * kMebibyte;
constexpr std::uint64_t kEntries = 2 * kSectorSize;  // of the first copy

/// A disk on which sfdisk has written a table, with partitions in another order than their numbers.
test::DiskFile made_by_sfdisk() {
  test::DiskFile disk(kSize);
  test::output_of(
      {"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", disk.path().string()},
      "label: gpt\n"
      "128 : start=2048, size=4096, name=\"last number\", type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, "
      "uuid=0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9\n"
      "1 : start=8192, size=1, name=\"\xc3\xa9t\xc3\xa9\"\n");
  return disk;
}

void put(std::string& bytes, std::size_t offset, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

/// Changes a number in the first copy of an entry and sets its checksums right.
void patch_entry(const test::DiskFile& file, int number, std::size_t offset, std::uint64_t value) {
  std::string bytes = file.bytes();
  put(bytes, kEntries + static_cast<std::size_t>(number - 1) * kTableEntrySize + offset, value, 8);
  put(bytes, kSectorSize + 88, crc32(std::string_view(bytes).substr(kEntries, 128 * 128)), 4);
  put(bytes, kSectorSize + 16, 0, 4);
  put(bytes, kSectorSize + 16, crc32(std::string_view(bytes).substr(kSectorSize, kTableHeaderSize)), 4);
  file.write(bytes);
}

std::string refusal(const test::DiskFile& file) {
  const auto partitions = read_partitions(file.open());
  REQUIRE_FALSE(partitions);
  CHECK(partitions.error().kind == ErrorKind::integrity);
  return partitions.error().message;
}

}  // namespace

TEST_CASE("CRC-32 is that of ISO 3309") {
  CHECK(crc32("123456789") == 0xcbf43926);
  CHECK(crc32("") == 0);
}

TEST_CASE("The table that sfdisk writes is read in the order of places, by either copy") {
  const test::DiskFile file = made_by_sfdisk();
  const auto check = [&] {
    const auto partitions = read_partitions(file.open());
    REQUIRE(partitions);
    REQUIRE(partitions->size() == 2);
    const Partition& first = (*partitions)[0];
    CHECK(first.number == 128);
    CHECK(first.label == "last number");
    CHECK(first.type == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
    CHECK(first.uuid == "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
    CHECK(first.start == kMebibyte);
    CHECK(first.size == 2 * kMebibyte);
    const Partition& second = (*partitions)[1];
    CHECK(second.number == 1);
    CHECK(second.label == "?t?");
    CHECK(second.start == 4 * kMebibyte);
    CHECK(second.size == kSectorSize);
  };
  check();
  file.flip(kEntries + 5000);
  check();
  file.flip(kSize - kSectorSize + 17);
  CHECK(refusal(file) == "neither copy of the partition table of " + file.path().string() + " is whole");
}

TEST_CASE("A disk that has grown is read by its first copy") {
  const test::DiskFile file = made_by_sfdisk();
  std::filesystem::resize_file(file.path(), 2 * kSize);
  CHECK(read_partitions(file.open()));
}

TEST_CASE("Partitions that are not on the disk, or overlap, are refused") {
  constexpr std::size_t kFirst = 32;
  constexpr std::size_t kLast = 40;
  const test::DiskFile file = made_by_sfdisk();
  SECTION("behind the end") {
    patch_entry(file, 1, kLast, kSize / kSectorSize);
    CHECK(refusal(file) == "partition 1 ends behind the end of the disk");
  }
  SECTION("sectors whose bytes are 0 modulo 2^64") {
    patch_entry(file, 1, kLast, std::uint64_t{1} << 55);
    CHECK(refusal(file) == "partition 1 ends behind the end of the disk");
  }
  SECTION("cut off") {
    std::filesystem::resize_file(file.path(), 3 * kMebibyte);
    CHECK(refusal(file) == "partition 1 ends behind the end of the disk");
  }
  SECTION("the first sector behind the last one") {
    patch_entry(file, 1, kFirst, 8194);
    CHECK(refusal(file) == "partition 1 is empty");
  }
  SECTION("overlap") {
    patch_entry(file, 1, kFirst, 6143);
    CHECK(refusal(file) == "partition 1 overlaps another one");
  }
  SECTION("none") {
    patch_entry(file, 1, kFirst, 6144);
    CHECK(read_partitions(file.open()));
  }
}

TEST_CASE("What is too short for a disk is refused before it is read") {
  const test::DiskFile none(std::uint64_t{100});
  CHECK(refusal(none) == none.path().string() + " is too short for a disk");
  CHECK(refusal(test::DiskFile(kSize)).ends_with("is whole"));
}
