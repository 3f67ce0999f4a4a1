// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/digest.hpp"

#include "crypto/digest.hpp"
#include "support/disk_file.hpp"

using namespace mailstead;

namespace {

constexpr std::uint64_t kMebibyte = 1u << 20;

}  // namespace

TEST_CASE("What is used of an extent ends with its last block that is not zero") {
  const test::DiskFile file(6 * kMebibyte);
  file.write_at(kMebibyte + 10, "start");
  file.write_at(2 * kMebibyte + 5000, "end");
  const auto measured = disk::measure(file.open(), {kMebibyte, 2 * kMebibyte});
  REQUIRE(measured);
  CHECK(measured->used == kMebibyte + 8192);
  CHECK(measured->sha256 == crypto::sha256_hex(file.bytes().substr(kMebibyte, kMebibyte + 8192)));
  const auto empty = disk::measure(file.open(), {3 * kMebibyte, 2 * kMebibyte});
  REQUIRE(empty);
  CHECK(empty->used == 0);
  CHECK(empty->sha256 == crypto::sha256_hex(""));
  // An extent that ends within a block.
  CHECK(disk::measure(file.open(), {kMebibyte, 12})->used == 12);
  CHECK_FALSE(disk::measure(file.open(), {5 * kMebibyte, 2 * kMebibyte}));
}

TEST_CASE("Digests are of holes, too, at the start, within and at the end") {
  const test::DiskFile file(6 * kMebibyte);
  file.write_at(3 * kMebibyte, "middle");
  for (const disk::Extent extent :
       {disk::Extent{0, 6 * kMebibyte}, {0, kMebibyte}, {3 * kMebibyte + 2, kMebibyte}, {7, 0}}) {
    INFO(extent.start << " " << extent.size);
    CHECK(disk::sha256_hex(file.open(), extent).value() ==
          crypto::sha256_hex(file.bytes().substr(extent.start, extent.size)));
  }
  CHECK_FALSE(disk::sha256_hex(file.open(), {6 * kMebibyte, 1}));
}

TEST_CASE("Nobody hashes more than an image can have, however far off a file of holes has a byte") {
  const std::uint64_t far = std::uint64_t{8} << 40;
  const test::DiskFile file(far);
  CHECK(disk::measure(file.open(), {0, far})->used == 0);
  file.write_at(far - 1, "x");
  const auto measured = disk::measure(file.open(), {kMebibyte, far - kMebibyte});
  REQUIRE_FALSE(measured);
  CHECK(measured.error().kind == ErrorKind::integrity);
  CHECK(measured.error().message ==
        "byte 8796093022207 of " + file.path().string() +
            " is farther off than any of an image, which has 17179869184 at most");
  CHECK_FALSE(disk::sha256_hex(file.open(), {0, far}));
}
