// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/squashfs.hpp"

#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::verify;

namespace {

constexpr std::uint64_t kRoom = 1u << 20;

void put_number(std::string& bytes, std::size_t offset, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) bytes[offset + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

/// A disk whose superblock claims a file system of `used` bytes.
std::string claiming(std::uint64_t used) {
  std::string bytes(kRoom, '\0');
  bytes.replace(0, 4, "hsqs");
  put_number(bytes, 40, used);
  for (const std::size_t table : {48, 64, 72, 80, 88}) put_number(bytes, table, used - 8);
  return bytes;
}

}  // namespace

TEST_CASE("A squashfs that claims more than there is is none") {
  for (const std::uint64_t used : {std::uint64_t{0}, kRoom + 1, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    INFO(used);
    const test::DiskFile file{std::string_view(claiming(used))};
    CHECK(squashfs_padded_size(file.open(), {0, kRoom}) == 0);
    CHECK(squashfs_regions(file.open(), {0, kRoom}).empty());
  }
}

TEST_CASE("A squashfs that claims the whole partition leaves no room for a hash tree, and none is named") {
  const test::DiskFile file{std::string_view(claiming(kRoom))};
  const auto regions = squashfs_regions(file.open(), {0, kRoom});
  REQUIRE_FALSE(regions.empty());
  for (const auto& [extent, name] : regions) {
    CHECK(extent.end() <= kRoom);
    CHECK(name.find("dm-verity") == std::string::npos);
  }
}
