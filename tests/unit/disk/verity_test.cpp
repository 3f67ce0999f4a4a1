// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/verity.hpp"

#include "crypto/digest.hpp"
#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::disk;

namespace {

constexpr std::uint64_t kBlocks = 300;  // three leaves under one root
constexpr std::uint64_t kData = kBlocks * kVerityBlock;

}  // namespace

TEST_CASE("The root hash and the superblock that veritysetup has written are read") {
  const test::DiskFile file(kData);
  file.write_at(5000, "data");
  const std::string path = file.path().string();
  const std::string salt(64, 'a');
  const std::string said =
      test::output_of({"veritysetup", "format", "--data-blocks=300", "--hash-offset=" + std::to_string(kData),
                       "--salt=" + salt, path, path});
  const auto at = said.find_first_not_of(" \t", said.find("Root hash:") + 10);
  CHECK(verity_root_hash(file.open(), kData).value() == said.substr(at, 64));
  const auto superblock = read_verity_superblock(file.open(), kData);
  REQUIRE(superblock);
  CHECK(superblock->data_blocks == kBlocks);
  CHECK(superblock->salt == std::string(32, '\xaa'));
  CHECK(file.bytes().size() == kData + kVerityBlock + tree_size(kBlocks));
  CHECK_FALSE(verity_root_hash(file.open(), kData + kVerityBlock));
  CHECK_FALSE(verity_root_hash(file.open(), file.bytes().size()));
}

TEST_CASE("Superblocks of other kinds are refused, one field after the other") {
  std::string superblock(2 * kVerityBlock, '\0');
  superblock.replace(0, 6, "verity");
  superblock[8] = 1;   // version
  superblock[12] = 1;  // hash type
  superblock.replace(32, 6, "sha256");
  superblock[65] = 0x10;  // blocks of 4096 bytes of data
  superblock[69] = 0x10;  // and of hashes
  superblock[80] = 2;     // bytes of salt
  superblock.replace(88, 2, "Na");
  const auto hash = [](std::string_view bytes) { return verity_root_hash(test::DiskFile(bytes).open(), 0); };
  CHECK(hash(superblock).value() == crypto::sha256_hex("Na" + superblock.substr(kVerityBlock)));
  for (const std::size_t field : {0, 6, 8, 12, 32, 36, 38, 64, 66, 69, 71, 81}) {
    INFO(field);
    std::string other = superblock;
    other[field] = static_cast<char>(other[field] ^ 2);
    const auto refused = hash(other);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::integrity);
    CHECK(refused.error().message == "there is no dm-verity hash tree");
  }
  CHECK_FALSE(hash(superblock.substr(0, kVerityBlock)));  // without a tree
}

TEST_CASE("The size of a tree counts each level") {
  CHECK(tree_size(1) == kVerityBlock);
  CHECK(tree_size(128) == kVerityBlock);
  CHECK(tree_size(129) == 3 * kVerityBlock);
  CHECK(top_digests(72) == 72);
  CHECK(top_digests(300) == 3);
  CHECK(top_digests(128 * 128 + 1) == 2);
  CHECK(tree_size(128 * 128 + 1) == (129 + 2 + 1) * kVerityBlock);
}

TEST_CASE("A hash tree over more blocks than bytes can be counted is not taken for a small one") {
  CHECK(top_digests(~std::uint64_t{0}) > 1);
  CHECK(tree_size(std::uint64_t{1} << 51) > std::uint64_t{1} << 56);
}
