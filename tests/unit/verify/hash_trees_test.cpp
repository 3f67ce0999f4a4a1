// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/hash_trees.hpp"

#include <fmt/format.h>

#include "disk/verity.hpp"
#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::verify;

namespace {

constexpr std::uint64_t kStart = 1u << 20;
constexpr std::uint64_t kSize = 2u << 20;

/// A disk with a squashfs and its hash tree, as mksquashfs and veritysetup write them, in a partition.
struct Made {
  test::DiskFile file{kStart + kSize};
  image::Partition partition;
  std::uint64_t offset = 0;  ///< of the tree, from the start of the partition
  std::string root_hash;

  Made() {
    partition.label = "label";
    partition.start = kStart;
    partition.size = kSize;
    const TemporaryDirectory folder = TemporaryDirectory::create().value();
    const std::string made = (folder.path() / "made.img").string();
    REQUIRE(write_file(folder.path() / "content", std::string(20'000, 'c')));
    test::output_of(
        {"mksquashfs", (folder.path() / "content").string(), made, "-quiet", "-no-progress", "-noD", "-noF"});
    offset = std::filesystem::file_size(made);
    REQUIRE(offset % disk::kVerityBlock == 0);
    const std::string said =
        test::output_of({"veritysetup", "format", "--hash-offset=" + std::to_string(offset),
                         "--salt=" + std::string(64, 'b'), made, made});
    root_hash = said.substr(said.find_first_not_of(" \t", said.find("Root hash:") + 10), 64);
    file.write_at(kStart, read_file(made).value());
  }

  std::string config(const std::string& hash, std::uint64_t at) const {
    return fmt::format("linux ($root)/vmlinuz roothash={} systemd.verity_root_options=hash-offset={}\n", hash,
                       at);
  }
  /// The tree that is found, and what is wrong with it.
  std::pair<HashTree, std::vector<Finding>> check(const std::string& slot_config) const {
    Places places;
    places.add({kStart, kSize}, {"partition", "label", {}});
    Check check;
    const auto tree = check_root_tree(file.open(), slot_config, partition, places, check);
    REQUIRE(tree);
    return {*tree, check.findings};
  }
};

}  // namespace

TEST_CASE("The tree is found where the command line says, or behind the file system, and its hash is kept") {
  const Made made;
  const std::string other(64, 'a');
  for (const std::string& config :
       {made.config(made.root_hash, made.offset), made.config(made.root_hash, made.offset + 4096),
        made.config(made.root_hash, made.offset + 1), made.config(made.root_hash, 1ull << 60),
        made.config(other, made.offset), made.config("none", made.offset), std::string("linux x\n"),
        std::string()}) {
    INFO(config);
    const auto [tree, findings] = made.check(config);
    CHECK(findings.empty());
    CHECK(tree.size == made.offset);
    CHECK(tree.root_hash == made.root_hash);
    CHECK(tree.end() == made.offset + 2 * disk::kVerityBlock);
  }
}

TEST_CASE("What the root hash does not vouch for is found, whichever one is named") {
  const Made made;
  made.file.flip(kStart + 100);
  const std::string other(64, 'a');
  const auto sound = made.check(made.config(made.root_hash, made.offset)).second;
  REQUIRE(sound.size() == 1);
  CHECK(sound[0].offset == kStart);
  // Nothing tells which of the two is wrong: the one that the machine would be started with counts.
  const auto [tree, findings] = made.check(made.config(other, made.offset));
  CHECK(tree.root_hash == other);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].expected == "SHA-256 " + other);
  CHECK(findings[0].offset == kStart + made.offset + disk::kVerityBlock);
  CHECK(made.check(made.config("12", made.offset)).first.root_hash == std::string(64, '0'));
}

TEST_CASE("A partition without a file system has no tree") {
  const Made made;
  made.file.write_at(kStart, std::string(kSize, '\0'));
  const auto [tree, findings] = made.check("");
  CHECK(tree.size == 0);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].structure == "dm-verity: superblock");
  CHECK(findings[0].offset == kStart);
}
