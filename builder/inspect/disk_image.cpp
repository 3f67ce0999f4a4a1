// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/disk_image.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/interrupt.hpp"
#include "crypto/digest.hpp"

namespace mailstead::inspect {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kBuffer = 1u << 20;
constexpr std::uint64_t kMostInMemory = 64u << 20;

bool is_zero(std::string_view block) {
  static const std::string kZeros(kBlock, '\0');
  return std::memcmp(block.data(), kZeros.data(), block.size()) == 0;
}

/// Gives the hash as many zeros as lie in a hole.
void hash_zeros(crypto::Sha256& hash, std::uint64_t count) {
  static const std::string kZeros(64 * 1024, '\0');
  while (count > 0) {
    const std::uint64_t some = std::min<std::uint64_t>(count, kZeros.size());
    hash.update(std::string_view(kZeros).substr(0, static_cast<std::size_t>(some)));
    count -= some;
    if (interrupted()) return;  // a hole has whatever size an image claims; who called finds out, too
  }
}

}  // namespace

Result<DiskImage> DiskImage::open(const std::filesystem::path& path) {
  DiskImage image;
  image.path_ = path;
  image.file_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // A device, too, has an end, though no size that stat(2) knows.
  const off_t end = image.file_ ? ::lseek(image.file_.get(), 0, SEEK_END) : -1;
  if (end < 0)
    return fail(ErrorKind::io, fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  image.size_ = static_cast<std::uint64_t>(end);
  TRY(image.partitions_, read_partition_table(path, image.size_));
  return image;
}

Result<Partition> DiskImage::partition(std::string_view label) const {
  const auto found = std::find_if(partitions_.begin(), partitions_.end(),
                                  [&](const Partition& partition) { return partition.label == label; });
  if (found == partitions_.end())
    return fail(ErrorKind::integrity, fmt::format("{} has no partition {}", path_.string(), label),
                "it is not an image that Mailstead has made");
  return *found;
}

Status DiskImage::check_range(std::uint64_t offset, std::uint64_t size) const {
  if (offset <= size_ && size <= size_ - offset) return ok();
  return fail(ErrorKind::integrity, fmt::format("{} is shorter than it says of itself", path_.string()));
}

Status DiskImage::read_at(char* data, std::size_t size, std::uint64_t offset) const {
  while (size > 0) {
    const ssize_t got = ::pread(file_.get(), data, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(ErrorKind::io, fmt::format("cannot read {}: {}", path_.string(), std::strerror(errno)));
    if (got == 0)
      return fail(ErrorKind::io, fmt::format("{} became shorter while it was read", path_.string()));
    data += got;
    size -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return ok();
}

template <class Take>
Status DiskImage::each_block(std::uint64_t offset, std::uint64_t size, Take take) const {
  CHECK_OK(check_range(offset, size));
  std::vector<char> buffer(kBuffer);
  std::uint64_t at = 0;
  while (at < size) {
    CHECK_OK(check_interrupt());
    const off_t data = ::lseek(file_.get(), static_cast<off_t>(offset + at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    if (data > 0) at = std::max(at, (static_cast<std::uint64_t>(data) - offset) / kBlock * kBlock);
    if (at >= size) break;
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - at));
    CHECK_OK(read_at(buffer.data(), count, offset + at));
    for (std::size_t start = 0; start < count; start += kBlock) {
      const std::string_view block(buffer.data() + start, std::min(kBlock, count - start));
      if (!is_zero(block)) CHECK_OK(take(at + start, block));
    }
    at += count;
  }
  return ok();
}

Result<Measured> DiskImage::measure(const Partition& partition) const {
  crypto::Sha256 hash;
  std::uint64_t used = 0;
  CHECK_OK(
      each_block(partition.start, partition.size, [&](std::uint64_t at, std::string_view block) -> Status {
        hash_zeros(hash, at - used);
        hash.update(block);
        used = at + block.size();
        return ok();
      }));
  return Measured{used, crypto::to_hex(hash.finish())};
}

Result<std::string> DiskImage::sha256(std::uint64_t offset, std::uint64_t size) const {
  crypto::Sha256 hash;
  std::uint64_t done = 0;
  CHECK_OK(each_block(offset, size, [&](std::uint64_t at, std::string_view block) -> Status {
    hash_zeros(hash, at - done);
    hash.update(block);
    done = at + block.size();
    return ok();
  }));
  hash_zeros(hash, size - done);
  CHECK_OK(check_interrupt());
  return crypto::to_hex(hash.finish());
}

Result<std::string> DiskImage::read(std::uint64_t offset, std::uint64_t size) const {
  CHECK_OK(check_range(offset, size));
  if (size > kMostInMemory)
    return fail(ErrorKind::integrity, fmt::format("{} bytes are asked for at once", size));
  std::string bytes(static_cast<std::size_t>(size), '\0');
  CHECK_OK(read_at(bytes.data(), bytes.size(), offset));
  return bytes;
}

Status DiskImage::copy(std::uint64_t offset, std::uint64_t size, const std::filesystem::path& to) const {
  const FileDescriptor file(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const auto failure = [&] {
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", to.string(), std::strerror(errno)),
                "free some space there, or choose another cache folder with MAILSTEAD_CACHE");
  };
  if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0) return failure();
  return each_block(offset, size, [&](std::uint64_t at, std::string_view block) -> Status {
    if (::pwrite(file.get(), block.data(), block.size(), static_cast<off_t>(at)) !=
        static_cast<ssize_t>(block.size()))
      return failure();
    return ok();
  });
}

}  // namespace mailstead::inspect
