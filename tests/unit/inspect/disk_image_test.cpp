// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/disk_image.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/run.hpp"
#include "crypto/digest.hpp"
#include "inspect/file_systems.hpp"
#include "inspect/public_part.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::inspect;

namespace {

constexpr std::uint64_t kMebibyte = 1u << 20;

/// A sparse disk of 6 MiB with partitions "one" and "two" of 2 MiB each, from 1 MiB on.
class Disk {
 public:
  Disk() {
    std::ofstream(path_).close();
    std::filesystem::resize_file(path_, 6 * kMebibyte);
    Command command;
    command.argv = {"sfdisk", "--quiet", path_.string()};
    command.input = "label: gpt\nstart=2048, size=4096, name=\"one\"\nstart=6144, size=4096, name=\"two\"\n";
    REQUIRE(run(command));
  }

  void write(std::uint64_t offset, std::string_view bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(file.flush());
  }

  DiskImage open() const {
    auto image = DiskImage::open(path_);
    REQUIRE(image);
    return *std::move(image);
  }

  const std::filesystem::path& folder() const { return folder_->path(); }

 private:
  Result<TemporaryDirectory> folder_ = TemporaryDirectory::create();
  std::filesystem::path path_ = folder_->path() / "a@@1 disk.img";
};

}  // namespace

TEST_CASE("What is used of a partition ends with its last block that is not zero") {
  Disk disk;
  disk.write(kMebibyte + 10, "start");
  disk.write(2 * kMebibyte + 5000, "end");
  const DiskImage image = disk.open();
  const auto one = image.partition("one");
  REQUIRE(one);
  const auto measured = image.measure(*one);
  REQUIRE(measured);
  CHECK(measured->used == kMebibyte + 8192);
  std::string bytes(kMebibyte + 8192, '\0');
  bytes.replace(10, 5, "start");
  bytes.replace(kMebibyte + 5000, 3, "end");
  CHECK(measured->sha256 == crypto::sha256_hex(bytes));

  const auto two = image.partition("two");
  REQUIRE(two);
  const auto empty = image.measure(*two);
  REQUIRE(empty);
  CHECK(empty->used == 0);
  CHECK_FALSE(image.partition("three"));
}

TEST_CASE("Ranges are hashed, read and copied with their zeros, and only where the disk is") {
  Disk disk;
  disk.write(kMebibyte, "start");
  const DiskImage image = disk.open();
  std::string bytes(100'000, '\0');
  bytes.replace(0, 5, "start");
  const auto digest = image.sha256(kMebibyte, bytes.size());
  REQUIRE(digest);
  CHECK(*digest == crypto::sha256_hex(bytes));
  const auto read = image.read(kMebibyte, 7);
  REQUIRE(read);
  CHECK(*read == bytes.substr(0, 7));
  REQUIRE(image.copy(kMebibyte, bytes.size(), disk.folder() / "copy"));
  const auto copied = read_file(disk.folder() / "copy");
  REQUIRE(copied);
  CHECK(*copied == bytes);

  CHECK_FALSE(image.sha256(6 * kMebibyte, 1));
  CHECK_FALSE(image.read(1, ~std::uint64_t{0}));
  CHECK_FALSE(image.copy(6 * kMebibyte - 1, 2, disk.folder() / "other"));
}

TEST_CASE("File systems that are none, or larger than their partition, are refused") {
  Disk disk;
  const auto scratch = disk.folder() / "cache" / "scratch";
  ::setenv("MAILSTEAD_CACHE", scratch.parent_path().c_str(), 1);
  // What a killed process has left: nobody has its lock any more.
  std::filesystem::create_directories(scratch / "mailstead.killed");
  REQUIRE(write_file(scratch / "mailstead.killed" / "squashfs.img", "private", 0600));
  std::string superblock(96, '\0');
  superblock.replace(0, 4, "hsqs");
  superblock[42] = 0x20;  // 2 MiB
  disk.write(kMebibyte, superblock);
  superblock[40] = 1;  // and a byte
  disk.write(3 * kMebibyte, superblock);
  const DiskImage image = disk.open();
  const auto refusal = [&](const char* label) {
    const auto partition = image.partition(label);
    REQUIRE(partition);
    const auto tree = read_squashfs(image, *partition);
    REQUIRE_FALSE(tree);
    return tree.error().message;
  };
  CHECK(refusal("one").starts_with("sqfs2tar cannot read the image: "));
  CHECK(refusal("two") == "there is no squashfs in partition 2");
  const auto file = read_fat_file(image, *image.partition("one"), "vmlinuz", 100);
  REQUIRE_FALSE(file);
  CHECK(file.error().message.starts_with("mcopy cannot read the image: "));
  CHECK(std::filesystem::is_empty(scratch));
  ::unsetenv("MAILSTEAD_CACHE");
}

TEST_CASE("The root hash is that of the top block of the hash tree, salted") {
  Disk disk;
  std::string superblock(512, '\0');
  superblock.replace(0, 6, "verity");
  superblock[8] = 1;   // version
  superblock[12] = 1;  // hash type
  superblock.replace(32, 6, "sha256");
  superblock[69] = 0x10;  // blocks of 4096 bytes
  superblock[80] = 2;     // bytes of salt
  superblock.replace(88, 2, "NaCl", 2);
  disk.write(kMebibyte, superblock);
  disk.write(kMebibyte + 4096, "top");
  std::string top(4096, '\0');
  top.replace(0, 3, "top");
  const auto hash = verity_root_hash(disk.open(), kMebibyte);
  REQUIRE(hash);
  CHECK(*hash == crypto::sha256_hex("Na" + top));
  superblock.replace(32, 6, "sha512");
  disk.write(kMebibyte, superblock);
  CHECK_FALSE(verity_root_hash(disk.open(), kMebibyte));
  CHECK_FALSE(verity_root_hash(disk.open(), 2 * kMebibyte));
}
