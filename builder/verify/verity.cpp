// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/verity.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "crypto/digest.hpp"
#include "disk/verity.hpp"

namespace mailstead::verify {
namespace {

using disk::Disk;
using disk::kVerityBlock;

constexpr std::uint64_t kDigest = 32;
constexpr std::uint64_t kFanOut = kVerityBlock / kDigest;

std::string from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    if (text[i] == '-')
      --i;  // a group of a UUID has an even number of digits
    else
      bytes += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
  }
  return bytes;
}

std::string hex(std::string_view digest) {
  return "SHA-256 " + crypto::to_hex(reinterpret_cast<const std::uint8_t*>(digest.data()), digest.size());
}

/// Walks down one tree.
class Walk {
 public:
  Walk(const Disk& disk, const VerityPlace& place, const Places& places, Check& check)
      : disk_(disk), place_(place), places_(places), check_(check), salt_(from_hex(place.salt)) {}

  Status run() {
    // Levels lie from the root to the leaves.
    std::uint64_t at = place_.data.end() + kVerityBlock;
    std::string above = from_hex(place_.root_hash);  // the digests of this level's blocks
    std::vector<bool> vouched(1, true);              // which of them can be believed
    const auto levels = disk::verity_levels(place_.data.size / kVerityBlock);
    for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
      TRY(std::string blocks, disk_.read(at, *level * kVerityBlock));
      std::vector<bool> below(*level * kFanOut, false);
      for (std::uint64_t i = 0; i < *level; ++i) {
        if (!vouched[i]) continue;
        const bool good = holds(above, i, at + i * kVerityBlock,
                                std::string_view(blocks).substr(i * kVerityBlock, kVerityBlock));
        std::fill_n(below.begin() + static_cast<std::ptrdiff_t>(i * kFanOut), kFanOut, good);
      }
      at += blocks.size();
      above = std::move(blocks);
      vouched = std::move(below);
    }
    return disk_.stream(place_.data, [&](std::uint64_t offset, std::string_view bytes) {
      for (std::size_t inside = 0; inside < bytes.size(); inside += kVerityBlock) {
        const std::uint64_t number = (offset + inside - place_.data.start) / kVerityBlock;
        if (vouched[number]) holds(above, number, offset + inside, bytes.substr(inside, kVerityBlock));
      }
      return ok();
    });
  }

 private:
  bool holds(std::string_view digests, std::uint64_t number, std::uint64_t offset, std::string_view block) {
    const std::string_view expected = digests.substr(number * kDigest, kDigest);
    const std::string found = disk::verity_digest(salt_, block);
    if (found == expected) return true;
    const Place& place = places_.at(offset);
    check_.add({place.structure, place_.label, {}, offset, hex(expected), hex(found)});
    return false;
  }

  const Disk& disk_;
  const VerityPlace& place_;
  const Places& places_;
  Check& check_;
  const std::string salt_;
};

}  // namespace

std::string verity_superblock(const image::VerityIds& ids, std::uint64_t data_blocks) {
  std::string block(kVerityBlock, '\0');
  const auto put = [&](std::size_t offset, std::string_view bytes) {
    block.replace(offset, bytes.size(), bytes);
  };
  const auto put_number = [&](std::size_t offset, std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i)
      block[offset + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i) & 0xff);
  };
  put(0, "verity");
  put_number(8, 1, 4);   // version of the superblock
  put_number(12, 1, 4);  // type of the hashes
  put(16, from_hex(ids.uuid));
  put(32, "sha256");
  put_number(64, kVerityBlock, 4);  // of data
  put_number(68, kVerityBlock, 4);  // of hashes
  put_number(72, data_blocks, 8);
  const std::string salt = from_hex(ids.salt);
  put_number(80, salt.size(), 2);
  put(88, salt);
  return block;
}

Result<std::uint64_t> check_verity(const Disk& disk, const VerityPlace& place, const Places& places,
                                   Check& check) {
  CHECK_OK(Walk(disk, place, places, check).run());
  return place.data.size / kVerityBlock;
}

}  // namespace mailstead::verify
