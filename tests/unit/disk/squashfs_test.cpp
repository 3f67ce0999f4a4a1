// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/squashfs.hpp"

#include <cstdlib>
#include <filesystem>

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::disk;

namespace {

constexpr std::uint64_t kMebibyte = 1u << 20;

/// A superblock that claims a file system of `used` bytes.
std::string claiming(std::uint64_t used) {
  std::string bytes(kSquashfsSuperblockSize, '\0');
  bytes.replace(0, 4, "hsqs");
  for (std::size_t i = 0; i < 8; ++i) bytes[40 + i] = static_cast<char>(used >> (8 * i) & 0xff);
  return bytes;
}

/// A cache of the test's own, as long as it lasts.
class Cache {
 public:
  Cache() { ::setenv("MAILSTEAD_CACHE", folder_.path().c_str(), 1); }
  ~Cache() { ::unsetenv("MAILSTEAD_CACHE"); }
  std::filesystem::path scratch() const { return folder_.path() / "scratch"; }

 private:
  TemporaryDirectory folder_ = TemporaryDirectory::create().value();
};

}  // namespace

TEST_CASE("A squashfs is read from the middle of a disk, all of it or some folders") {
  const Cache cache;
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  std::filesystem::create_directories(folder.path() / "tree/etc/mail");
  std::filesystem::create_directories(folder.path() / "tree/usr");
  REQUIRE(write_file(folder.path() / "tree/etc/mail/name", "mail.example.org\n"));
  REQUIRE(write_file(folder.path() / "tree/usr/other", std::string(300'000, 'o')));
  const std::string made = (folder.path() / "made.img").string();
  test::output_of({"mksquashfs", (folder.path() / "tree").string(), made, "-quiet", "-no-progress"});
  const test::DiskFile file(4 * kMebibyte);
  file.write_at(kMebibyte, read_file(made).value());
  const Extent partition{kMebibyte, 2 * kMebibyte};
  const auto superblock = read_squashfs_superblock(file.open(), partition);
  REQUIRE(superblock);
  CHECK(superblock->used <= std::filesystem::file_size(made));
  CHECK(superblock->inode_table < superblock->directory_table);

  const auto tree = read_squashfs(file.open(), partition);
  REQUIRE(tree);
  CHECK(tree->find("etc/mail/name")->content.read().value() == "mail.example.org\n");
  CHECK(tree->find("usr/other")->content.size() == 300'000);
  const auto part = read_squashfs(file.open(), partition, {"etc/mail"});
  REQUIRE(part);
  CHECK(part->find("etc/mail/name") != nullptr);
  CHECK(part->find("usr/other") == nullptr);
  CHECK_FALSE(read_squashfs(file.open(), partition, {"no-such-folder"}));
  // It may not go beyond what it is looked for in.
  CHECK(read_squashfs(file.open(), {kMebibyte, superblock->used}));
  CHECK(read_squashfs(file.open(), {kMebibyte, superblock->used - 1}).error().message ==
        "there is no squashfs");
  CHECK(std::filesystem::is_empty(cache.scratch()));
}

TEST_CASE("Superblocks that claim nothing, or more than there is, are none") {
  for (const std::uint64_t used :
       {std::uint64_t{0}, std::uint64_t{95}, kMebibyte + 1, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    INFO(used);
    const test::DiskFile file(2 * kMebibyte);
    file.write_at(0, claiming(used));
    const auto superblock = read_squashfs_superblock(file.open(), {0, kMebibyte});
    REQUIRE_FALSE(superblock);
    CHECK(superblock.error().kind == ErrorKind::integrity);
    CHECK(superblock.error().message == "there is no squashfs");
  }
  const test::DiskFile file(2 * kMebibyte);
  file.write_at(0, claiming(kMebibyte));
  CHECK(read_squashfs_superblock(file.open(), {0, kMebibyte})->used == kMebibyte);
  CHECK_FALSE(read_squashfs_superblock(file.open(), {2 * kMebibyte - 10, 10}));
}

TEST_CASE("A file system that is none, or too large, is refused, and no copy stays") {
  const Cache cache;
  // What a killed process has left: nobody has its lock any more.
  std::filesystem::create_directories(cache.scratch() / "mailstead.killed");
  REQUIRE(write_file(cache.scratch() / "mailstead.killed" / "squashfs.img", "private", 0600));
  const test::DiskFile file(2 * kMebibyte);
  file.write_at(0, claiming(2 * kMebibyte));
  const auto tree = read_squashfs(file.open(), {0, 2 * kMebibyte});
  REQUIRE_FALSE(tree);
  CHECK(tree.error().message.starts_with("sqfs2tar cannot read the image: "));
  CHECK(std::filesystem::is_empty(cache.scratch()));
  constexpr std::uint64_t kHuge = std::uint64_t{3} << 30;
  std::filesystem::resize_file(file.path(), kHuge);
  file.write_at(0, claiming(kHuge));
  CHECK(read_squashfs(file.open(), {0, kHuge}).error().message ==
        "the squashfs is too large: 3221225472 bytes");
}
