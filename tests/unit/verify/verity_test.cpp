// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/verity.hpp"

#include <filesystem>

#include "crypto/digest.hpp"
#include "disk/verity.hpp"
#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::verify;
using disk::kVerityBlock;
using disk::tree_size;

namespace {

constexpr std::uint64_t kBlocks = 300;  // three leaves under one root
constexpr std::uint64_t kData = kBlocks * kVerityBlock;

/// Data to which veritysetup has appended a hash tree.
struct Made {
  test::DiskFile file{std::string_view{}};
  image::VerityIds ids = image::verity_ids("scope", "usr.img");
  VerityPlace place;

  Made() {
    std::string data(kData, '\0');
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i % 251 + i / kVerityBlock);
    file.write(data);
    const std::string path = file.path().string();
    const std::string said = test::output_of({"veritysetup", "format", "--data-blocks=300",
                                              "--hash-offset=" + std::to_string(kData), "--salt=" + ids.salt,
                                              "--uuid=" + ids.uuid, path, path});
    const auto at = said.find_first_not_of(" \t", said.find("Root hash:") + 10);
    place = {{0, kData}, said.substr(at, 64), ids.salt, "label"};
  }

  std::vector<Finding> findings() const {
    Places places;
    places.add({0, kData}, {"data", "label", {}});
    places.add({kData + kVerityBlock, tree_size(kBlocks)}, {"tree", "label", {}});
    Check check;
    const auto blocks = check_verity(file.open(), place, places, check);
    REQUIRE(blocks);
    CHECK(*blocks == kBlocks);
    return check.findings;
  }
};

}  // namespace

TEST_CASE("What veritysetup writes is what is expected, superblock and tree") {
  const Made made;
  CHECK(made.findings().empty());
  const std::string bytes = made.file.bytes();
  CHECK(bytes.substr(kData, kVerityBlock) == verity_superblock(made.ids, kBlocks));
  CHECK(bytes.size() == kData + kVerityBlock + tree_size(kBlocks));
}

TEST_CASE("A flipped byte of the data or of any level of the tree is found in its block") {
  const Made made;
  const std::uint64_t tree = kData + kVerityBlock;
  const std::pair<std::uint64_t, const char*> places[] = {
      {0, "data"},
      {kData / 2 + 77, "data"},
      {kData - 1, "data"},
      {tree + 5, "tree"},                     // the root: a digest of a leaf
      {tree + 2000, "tree"},                  // behind the digests
      {tree + kVerityBlock + 40, "tree"},     // a leaf
      {tree + 4 * kVerityBlock - 1, "tree"},  // the end of the last one
  };
  for (const auto& [offset, name] : places) {
    INFO(offset);
    made.file.flip(offset);
    const auto findings = made.findings();
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].structure == name);
    CHECK(findings[0].offset == offset / kVerityBlock * kVerityBlock);
    made.file.flip(offset);
  }
}

TEST_CASE("Another root hash is vouched for by nothing") {
  Made made;
  made.place.root_hash = std::string(64, 'a');
  const auto findings = made.findings();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].expected == "SHA-256 " + std::string(64, 'a'));
}
