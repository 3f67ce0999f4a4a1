// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/interrupt.hpp"

namespace mailstead::disk {
namespace {

constexpr std::uint64_t kBlock = 1u << 20;

bool is_zero(std::string_view bytes) {
  // A comparison with itself, shifted by one: as fast as memcmp(3).
  return bytes.empty() ||
         (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

Result<Disk> Disk::open(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  // A device, too, has an end, though no size that stat(2) knows.
  const off_t end = file && ::fstat(file.get(), &status) == 0 ? ::lseek(file.get(), 0, SEEK_END) : off_t{-1};
  if (end < 0)
    return fail(ErrorKind::io, fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  return Disk(path, std::move(file), static_cast<std::uint64_t>(end), S_ISREG(status.st_mode));
}

Status Disk::check_size() const {
  if (!regular_ || size_ <= kMostDisk) return ok();
  return fail(ErrorKind::integrity, fmt::format("{} is too large: {} bytes, where an image has {} at most",
                                                path_.string(), size_, kMostDisk));
}

Status Disk::check_range(std::uint64_t offset, std::uint64_t size) const {
  if (offset <= size_ && size <= size_ - offset) return ok();
  return fail(ErrorKind::integrity, fmt::format("{} ends at byte {}, and what should lie at {} has {} bytes",
                                                path_.string(), size_, offset, size));
}

Result<std::string> Disk::read(std::uint64_t offset, std::uint64_t size) const {
  CHECK_OK(check_range(offset, size));
  if (size > kMostAtOnce)
    return fail(ErrorKind::integrity, fmt::format("what should lie at byte {} of {} is too large: {} bytes",
                                                  offset, path_.string(), size));
  std::string bytes(size, '\0');
  CHECK_OK(read_into(bytes.data(), offset, size));
  return bytes;
}

Status Disk::read_into(char* bytes, std::uint64_t offset, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(file_.get(), bytes + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return fail(ErrorKind::io, fmt::format("cannot read {}: {}", path_.string(),
                                             got < 0 ? std::strerror(errno) : "it became shorter"));
    done += static_cast<std::size_t>(got);
  }
  return ok();
}

Status Disk::stream(Extent extent, const std::function<Status(std::uint64_t, std::string_view)>& sink) const {
  CHECK_OK(check_range(extent.start, extent.size));
  // One block for all: a new one each time costs the kernel as much as what is read.
  std::string buffer(std::min(kBlock, extent.size), '\0');
  for (std::uint64_t at = extent.start; at < extent.end();) {
    CHECK_OK(check_interrupt());
    const std::string_view block(buffer.data(), std::min(kBlock, extent.end() - at));
    CHECK_OK(read_into(buffer.data(), at, block.size()));
    CHECK_OK(sink(at, block));
    at += block.size();
  }
  return ok();
}

Status Disk::stream_data(Extent extent,
                         const std::function<Status(std::uint64_t, std::string_view)>& sink) const {
  CHECK_OK(check_range(extent.start, extent.size));
  const auto without_zeros = [&](std::uint64_t offset, std::string_view block) -> Status {
    if (is_zero(block)) return ok();
    const std::size_t first = block.find_first_not_of('\0');
    return sink(offset + first, block.substr(first, block.find_last_not_of('\0') - first + 1));
  };
  for (std::uint64_t at = extent.start; at < extent.end();) {
    const off_t data = ::lseek(file_.get(), static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    const std::uint64_t start = data < 0 ? at : static_cast<std::uint64_t>(data);
    if (start >= extent.end()) break;
    const off_t hole = ::lseek(file_.get(), static_cast<off_t>(start), SEEK_HOLE);
    const std::uint64_t end =
        hole < 0 ? extent.end() : std::min(extent.end(), static_cast<std::uint64_t>(hole));
    CHECK_OK(stream({start, end - start}, without_zeros));
    at = end;
  }
  return ok();
}

Status Disk::find_data(Extent extent, const std::function<Status(Extent)>& sink) const {
  Extent run;
  const Status done = stream_data(extent, [&](std::uint64_t offset, std::string_view block) -> Status {
    for (std::size_t at = 0; at < block.size(); at += kSectorSize) {
      const std::string_view sector = block.substr(at, kSectorSize);
      if (is_zero(sector)) continue;
      const std::size_t first = sector.find_first_not_of('\0');
      const std::size_t last = sector.find_last_not_of('\0');
      const Extent found{offset + at + first, last - first + 1};
      if (run.size > 0 && found.start - run.end() < kSectorSize) {
        run.size = found.end() - run.start;
        continue;
      }
      if (run.size > 0) CHECK_OK(sink(run));
      run = found;
    }
    return ok();
  });
  if (!done) return done;
  return run.size > 0 ? sink(run) : ok();
}

Status Disk::copy(Extent extent, const std::filesystem::path& to) const {
  const FileDescriptor file(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const auto failure = [&] {
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", to.string(), std::strerror(errno)),
                kCacheFull);
  };
  if (!file || ::ftruncate(file.get(), static_cast<off_t>(extent.size)) != 0) return failure();
  return stream_data(extent, [&](std::uint64_t offset, std::string_view block) -> Status {
    const ssize_t put =
        ::pwrite(file.get(), block.data(), block.size(), static_cast<off_t>(offset - extent.start));
    if (put == static_cast<ssize_t>(block.size())) return ok();
    if (put >= 0) errno = ENOSPC;  // a disk that gets full takes a part
    return failure();
  });
}

std::uint64_t little_endian(std::string_view bytes, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i > 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[offset + i - 1]);
  return value;
}

}  // namespace mailstead::disk
