// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/root_hashes.hpp"

#include <fmt/format.h>

#include <string>

#include "inspect/report.hpp"
#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::inspect;

namespace {

constexpr std::uint64_t kMebibyte = 1u << 20;
constexpr std::uint64_t kData = 5 * 4096;
constexpr std::uint64_t kPlaces[] = {1 * kMebibyte, 3 * kMebibyte};  // of root and usr

/// A disk with the file systems of slot b, as far as hashes go, and their hash trees by veritysetup.
class TwoTrees {
 public:
  TwoTrees() {
    test::output_of({"sfdisk", "--quiet", disk_.path().string()},
                    "label: gpt\nstart=2048, size=4096, name=\"mailstead-root-b\"\n"
                    "start=6144, size=4096, name=\"mailstead-usr-b\"\n");
    hashes_ = {make_tree(kPlaces[0], 'r'), make_tree(kPlaces[1], 'u')};
  }
  const test::DiskFile& disk() const { return disk_; }
  /// As one is read from the disk.
  Slot slot(std::uint64_t root_offset = kData) const {
    Slot slot;
    slot.name = 'b';
    slot.filled = true;
    slot.root_hash = hashes_.root;
    slot.usr_hash = hashes_.usr;
    slot.command_line = fmt::format(
        "systemd.verity_root_options=hash-offset={},panic systemd.verity_usr_options=hash-offset={}",
        root_offset, kData);
    return slot;
  }
  Result<RootHashes> measure(const Slot& slot) const {
    return measure_root_hashes(DiskImage::open(disk_.path()).value(), 1, slot);
  }
  /// The slot as `inspect` shows it.
  Slot measured() const {
    Slot slot = this->slot();
    slot.measured = measure(slot).value();
    return slot;
  }

 private:
  std::string make_tree(std::uint64_t place, char content) {
    std::string data = "hsqs" + std::string(kData - 4, content);
    data.replace(40, 8, std::string("\0\x40\0\0\0\0\0\0", 8));  // 16384 bytes are used
    const test::DiskFile file(data);
    const std::string path = file.path().string();
    const std::string said = test::output_of(
        {"veritysetup", "format", fmt::format("--hash-offset={}", kData), "--data-blocks=5", path, path});
    disk_.write_at(place, file.bytes());
    return said.substr(said.find_first_not_of(" \t", said.find("Root hash:") + 10), 64);
  }
  test::DiskFile disk_{6 * kMebibyte};
  RootHashes hashes_;
};

std::string described(Slot slot) {
  Appliance appliance;
  appliance.size = 1;
  appliance.slots.push_back(std::move(slot));
  const std::string text = describe(appliance, 80, false);
  const auto start = text.find("slot b");
  return text.substr(start, text.find("\n\n", start) + 1 - start);
}

}  // namespace

TEST_CASE("Root hashes are measured from what is there") {
  const TwoTrees trees;
  const Slot slot = trees.measured();
  CHECK(slot.measured->root == slot.root_hash);
  CHECK(slot.measured->usr == slot.usr_hash);
  CHECK(hash_mismatches(slot).empty());
  CHECK(described(slot) == fmt::format("slot b     kernel unknown\n  root hash {}\n  usr hash  {}\n",
                                       slot.root_hash, slot.usr_hash));
}

TEST_CASE("A changed file system has another root hash than the command line, whatever its tree says") {
  const TwoTrees trees;
  for (const bool in_root : {true, false}) {
    INFO(in_root);
    const std::uint64_t place = kPlaces[in_root ? 0 : 1] + kData - 1;
    trees.disk().flip(place);
    const Slot slot = trees.measured();
    const std::string& said = in_root ? slot.root_hash : slot.usr_hash;
    const std::string& found = in_root ? slot.measured->root : slot.measured->usr;
    REQUIRE(found != said);
    CHECK(hash_mismatches(slot) ==
          std::vector<std::string>{fmt::format("{}: the machine would be started with {}, its bytes say {}",
                                               in_root ? "root hash" : "usr hash", said, found)});
    CHECK(described(slot).find(fmt::format("{}\n   measured {}: NOT THE SAME\n", said, found)) !=
          std::string::npos);
    trees.disk().flip(place);
  }
}

TEST_CASE("A command line without root hashes is no match") {
  const TwoTrees trees;
  Slot slot = trees.measured();
  slot.root_hash.clear();
  slot.usr_hash = "\x1b";
  const auto mismatches = hash_mismatches(slot);
  REQUIRE(mismatches.size() == 2);
  CHECK(mismatches[0].starts_with("root hash: the machine would be started with none, its bytes say "));
  CHECK(mismatches[1].starts_with("usr hash: the machine would be started with \\x1b, its bytes say "));
}

TEST_CASE("What has not been measured is not shown as if it were") {
  const Slot slot = TwoTrees().slot();
  CHECK(hash_mismatches(slot).empty());
  CHECK(described(slot).find(slot.root_hash + " (not measured)\n") != std::string::npos);
  CHECK(described(slot).find(slot.usr_hash + " (not measured)\n") != std::string::npos);
}

TEST_CASE("A hash tree that is elsewhere, or not over all of its file system, is refused") {
  const TwoTrees trees;
  const auto refusal = [&](const Slot& slot) {
    const auto refused = trees.measure(slot);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::integrity);
    CHECK(refused.error().notes ==
          std::vector<std::string>{"computing the root hash of partition mailstead-root-b"});
    return refused.error().message;
  };
  CHECK(refusal(trees.slot(kData + 4096)) == "there is no dm-verity hash tree");
  CHECK(refusal(trees.slot(2 * kMebibyte)) == "its hash tree is not in its partition");
  CHECK(refusal(trees.slot(8192)) == "it has 16384 bytes, and its hash tree begins at 8192");
  CHECK(refusal(Slot()) == "the kernel's command line does not say where its hash tree is");
  // Blocks that the tree is not over, which the machine would not see.
  trees.disk().write_at(kPlaces[0] + kData + 72, "\4");
  CHECK(refusal(trees.slot()) == "the dm-verity hash tree is over 4 blocks, and there are 5 in front of it");
}
