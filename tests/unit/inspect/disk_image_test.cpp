// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/disk_image.hpp"

#include <cstdlib>

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::inspect;

namespace {

constexpr std::uint64_t kMebibyte = 1u << 20;

/// A sparse disk of 6 MiB with partitions "one" and "two" of 2 MiB each, from 1 MiB on.
test::DiskFile made() {
  test::DiskFile file(6 * kMebibyte);
  test::output_of({"sfdisk", "--quiet", file.path().string()},
                  "label: gpt\nstart=2048, size=4096, name=\"one\"\nstart=6144, size=4096, name=\"two\"\n");
  return file;
}

}  // namespace

TEST_CASE("Partitions are found by their labels") {
  const test::DiskFile file = made();
  const auto image = DiskImage::open(file.path());
  REQUIRE(image);
  CHECK(image->partitions().size() == 2);
  CHECK(image->partition("two")->start == 3 * kMebibyte);
  const auto none = image->partition("three");
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::integrity);
  CHECK(none.error().message == file.path().string() + " has no partition three");
}

TEST_CASE("What cannot be read is said with its partition") {
  const test::DiskFile file = made();
  ::setenv("MAILSTEAD_CACHE", file.path().parent_path().c_str(), 1);
  const auto image = DiskImage::open(file.path());
  REQUIRE(image);
  const auto tree = image->read_squashfs(*image->partition("two"));
  REQUIRE_FALSE(tree);
  CHECK(tree.error().message == "there is no squashfs");
  CHECK(tree.error().notes == std::vector<std::string>{"reading the file system in partition 2"});
  const auto content = image->read_fat_file(*image->partition("one"), "vmlinuz", 100);
  REQUIRE_FALSE(content);
  CHECK(content.error().message == "the FAT file system is damaged: its boot sector makes no sense");
  CHECK(content.error().notes == std::vector<std::string>{"reading vmlinuz in partition 1"});
  ::unsetenv("MAILSTEAD_CACHE");
}

TEST_CASE("Only the data partition may be larger than any image") {
  const auto open = [](const char* label) {
    const test::DiskFile file(std::uint64_t{8} << 40);
    test::output_of({"sfdisk", "--quiet", file.path().string()},
                    std::string("label: gpt\nstart=2048, size=4096, name=\"one\"\nname=\"") + label + "\"\n");
    auto image = DiskImage::open(file.path());
    return image ? std::string("taken") : image.error().message.substr(file.path().string().size());
  };
  CHECK(open("mailstead-data") == "taken");
  CHECK(open("mailstead-usr-a") ==
        " has 8796090925056 bytes in partitions beside mailstead-data, and an image has 17179869184 at most");
}
