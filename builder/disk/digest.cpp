// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/digest.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/interrupt.hpp"
#include "crypto/digest.hpp"

namespace mailstead::disk {
namespace {

constexpr std::uint64_t kUnit = 4096;

/// Hashes bytes of which the zeros are left out.
class SparseHash {
 public:
  Status skip_to(std::uint64_t position) {
    static const std::string kZeros(64 * 1024, '\0');
    while (hashed_ < position) {
      CHECK_OK(check_interrupt());
      const auto some = std::min<std::uint64_t>(position - hashed_, kZeros.size());
      hash_.update(std::string_view(kZeros).substr(0, some));
      hashed_ += some;
    }
    return ok();
  }
  Status data(const Disk& disk, Extent extent) {
    return disk.stream_data(extent, [&](std::uint64_t offset, std::string_view block) -> Status {
      if (offset - extent.start >= kMostDisk) return too_large(disk, offset);
      CHECK_OK(skip_to(offset - extent.start));
      hash_.update(block);
      hashed_ += block.size();
      return ok();
    });
  }
  std::uint64_t hashed() const { return hashed_; }
  static tl::unexpected<Error> too_large(const Disk& disk, std::uint64_t offset) {
    return fail(ErrorKind::integrity,
                fmt::format("byte {} of {} is farther off than any of an image, which has {} at most", offset,
                            disk.path().string(), kMostDisk));
  }
  std::string finish() { return crypto::to_hex(hash_.finish()); }

 private:
  crypto::Sha256 hash_;
  std::uint64_t hashed_ = 0;
};

}  // namespace

Result<std::string> sha256_hex(const Disk& disk, Extent extent) {
  if (extent.size > kMostDisk) return SparseHash::too_large(disk, extent.end());
  SparseHash hash;
  CHECK_OK(hash.data(disk, extent));
  CHECK_OK(hash.skip_to(extent.size));
  return hash.finish();
}

Result<Measured> measure(const Disk& disk, Extent extent) {
  SparseHash hash;
  CHECK_OK(hash.data(disk, extent));
  const std::uint64_t used = std::min(extent.size, (hash.hashed() + kUnit - 1) / kUnit * kUnit);
  CHECK_OK(hash.skip_to(used));
  return Measured{used, hash.finish()};
}

}  // namespace mailstead::disk
