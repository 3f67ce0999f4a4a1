// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/verity.hpp"

#include "crypto/digest.hpp"
#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::disk;

namespace {

constexpr std::uint64_t kBlocks = 300;  // three leaves under one root
constexpr std::uint64_t kData = kBlocks * kVerityBlock;

/// What veritysetup makes of the first `blocks` of `file`, with its tree behind them.
std::string formatted(const test::DiskFile& file, std::uint64_t blocks) {
  const std::string path = file.path().string();
  const std::string said =
      test::output_of({"veritysetup", "format", "--data-blocks=" + std::to_string(blocks),
                       "--hash-offset=" + std::to_string(blocks * kVerityBlock),
                       "--salt=" + std::string(64, 'a'), path, path});
  const auto at = said.find_first_not_of(" \t", said.find("Root hash:") + 10);
  return said.substr(at, 64);
}

}  // namespace

TEST_CASE("The root hash and the superblock that veritysetup has written are read") {
  const test::DiskFile file(kData);
  file.write_at(5000, "data");
  const std::string hash = formatted(file, kBlocks);
  CHECK(verity_root_hash(file.open(), {0, kData}).value() == hash);
  const auto superblock = read_verity_superblock(file.open(), kData);
  REQUIRE(superblock);
  CHECK(superblock->data_blocks == kBlocks);
  CHECK(superblock->salt == std::string(32, '\xaa'));
  CHECK(file.bytes().size() == kData + kVerityBlock + tree_size(kBlocks));
  CHECK_FALSE(verity_root_hash(file.open(), {0, kData + kVerityBlock}));
  CHECK_FALSE(verity_root_hash(file.open(), {0, file.bytes().size()}));
  for (const Extent other : {Extent{kVerityBlock, kData - kVerityBlock}, Extent{1, kData - 1}}) {
    const auto refused = verity_root_hash(file.open(), other);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message ==
          "the dm-verity hash tree is over 300 blocks, and there are 299 in front of it");
  }
}

TEST_CASE("The root hash is that of the data, whatever the tree says") {
  for (const std::uint64_t blocks : {1, 2, 127, 128, 129, 300, 128 * 128 + 1}) {
    INFO(blocks);
    const test::DiskFile file(blocks * kVerityBlock);
    file.write_at(0, "first");
    file.write_at(blocks * kVerityBlock - 4, "last");
    const std::string hash = formatted(file, blocks);
    const Extent data{0, blocks * kVerityBlock};
    CHECK(verity_root_hash(file.open(), data).value() == hash);
    file.write_at(data.size + kVerityBlock, "tree");
    CHECK(verity_root_hash(file.open(), data).value() == hash);
    file.write_at(data.size - 4, "lost");
    CHECK(verity_root_hash(file.open(), data).value() != hash);
  }
}

TEST_CASE("Superblocks of other kinds are refused, one field after the other") {
  std::string superblock(kVerityBlock, '\0');
  superblock.replace(0, 6, "verity");
  superblock[8] = 1;   // version
  superblock[12] = 1;  // hash type
  superblock.replace(32, 6, "sha256");
  superblock[65] = 0x10;  // blocks of 4096 bytes of data
  superblock[69] = 0x10;  // and of hashes
  superblock[72] = 1;     // blocks of data
  superblock[80] = 2;     // bytes of salt
  superblock.replace(88, 2, "Na");
  const std::string data(kVerityBlock, 'd');
  const auto hash = [&](const std::string& behind) {
    return verity_root_hash(test::DiskFile(data + behind).open(), {0, kVerityBlock});
  };
  CHECK(hash(superblock).value() == crypto::sha256_hex("Na" + data));
  for (const std::size_t field : {0, 6, 8, 12, 32, 36, 38, 64, 66, 69, 71, 81}) {
    INFO(field);
    std::string other = superblock;
    other[field] = static_cast<char>(other[field] ^ 2);
    const auto refused = hash(other);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::integrity);
    CHECK(refused.error().message == "there is no dm-verity hash tree");
  }
  CHECK_FALSE(hash(superblock.substr(0, 511)));
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
