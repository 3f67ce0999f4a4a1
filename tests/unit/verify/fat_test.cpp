// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/fat.hpp"

#include <algorithm>

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::verify;

namespace {

constexpr std::uint64_t kMebibyte = 1u << 20;
constexpr std::int64_t kTime = 1'700'000'001;  // odd: FAT counts in twos

FatContent content_of(std::uint64_t size) {
  return {
      size, "BOOT-A", 0x70b42ae3, kTime, {{"vmlinuz", 3'000'001}, {"initrd.img", 8192}, {"slot-a.cfg", 700}}};
}

/// The bytes of a file: no two files have the same.
std::string bytes_of(const std::string& name, std::uint64_t size) {
  return std::string(size, name[0]);
}

/// What mkfs.fat and mtools write.
test::DiskFile made_by_tools(const FatContent& content, const std::string& sectors_per_cluster) {
  test::DiskFile file(content.size);
  const std::string image = file.path().string();
  test::output_of({"mkfs.fat", "--invariant", "-i", "70b42ae3", "-n", content.label, "-F", "32", "-s",
                   sectors_per_cluster, image});
  for (const auto& [name, size] : content.files) {
    Command copy = test::command({"mcopy", "-i", image, "-", "::" + name}, bytes_of(name, size));
    copy.env["SOURCE_DATE_EPOCH"] = std::to_string(content.time);
    REQUIRE(run(copy));
  }
  return file;
}

}  // namespace

TEST_CASE("What is put together here is what mkfs.fat and mcopy write, to the byte") {
  const std::pair<std::uint64_t, const char*> sizes[] = {
      {33 * kMebibyte, "1"},   {64 * kMebibyte, "1"},   {65 * kMebibyte, "2"},   {128 * kMebibyte, "2"},
      {129 * kMebibyte, "4"},  {256 * kMebibyte, "4"},  {257 * kMebibyte, "4"},  {258 * kMebibyte, "8"},
      {504 * kMebibyte, "8"},  {505 * kMebibyte, "8"},  {1008 * kMebibyte, "8"}, {1009 * kMebibyte, "8"},
      {2017 * kMebibyte, "8"}, {4032 * kMebibyte, "8"}, {4033 * kMebibyte, "8"}, {disk::kMostDisk, "8"}};
  for (const auto& [size, sectors_per_cluster] : sizes) {
    INFO(size / kMebibyte);
    const FatContent content = content_of(size);
    const auto bytes = encode_fat(content);
    REQUIRE(bytes);
    std::string image = bytes->reserved + bytes->table + bytes->table + bytes->directory;
    image.resize(bytes->used);
    for (std::size_t i = 0; i < content.files.size(); ++i) {
      const auto& [name, file_size] = content.files[i];
      CHECK(bytes->files[i].size - file_size < 4096);
      image.replace(bytes->files[i].start, file_size, bytes_of(name, file_size));
    }
    CHECK(bytes->used == bytes->files.back().end());
    const test::DiskFile file = made_by_tools(content, sectors_per_cluster);
    const disk::Disk disk = file.open();
    const std::string made = disk.read(0, bytes->used).value();
    const auto differs = std::mismatch(made.begin(), made.end(), image.begin());
    CHECK(std::distance(made.begin(), differs.first) == static_cast<std::ptrdiff_t>(made.size()));
    const auto none = [](disk::Extent) { return fail(ErrorKind::integrity, "there is more"); };
    CHECK(disk.find_data({bytes->used, size - bytes->used}, none));
  }
}

TEST_CASE("An empty file has no cluster") {
  FatContent content = content_of(40 * kMebibyte);
  content.files = {{"empty", 0}, {"slot-a.cfg", 1}};
  const auto bytes = encode_fat(content);
  REQUIRE(bytes);
  CHECK(bytes->files[0].size == 0);
  CHECK(disk::little_endian(bytes->directory, 32 + 26, 2) == 0);
  CHECK(disk::little_endian(bytes->directory, 64 + 26, 2) == 3);
}

TEST_CASE("Files without room, and sizes without FAT32, are refused") {
  const auto refusal = [](const FatContent& content) {
    const auto bytes = encode_fat(content);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().kind == ErrorKind::integrity);
    return bytes.error().message;
  };
  FatContent content = content_of(40 * kMebibyte);
  for (const std::uint64_t size : {40 * kMebibyte, ~std::uint64_t{0}}) {
    content.files[1].second = size;
    CHECK(refusal(content) == "its files are larger than it is");
  }
  content.files.assign(16, {"empty", 0});
  CHECK(refusal(content) == "it has too many files");
  for (const std::uint64_t size :
       {std::uint64_t{0}, 32 * kMebibyte, 33 * kMebibyte + 1, disk::kMostDisk + 512})
    CHECK(refusal(content_of(size)) == "it has no size for a FAT32 file system");
}
