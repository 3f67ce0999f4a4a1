// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "base/interrupt.hpp"

namespace mailstead::image {
namespace {

namespace fs = std::filesystem;

Status write_at(int fd, const char* data, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t put = ::pwrite(fd, data, size, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0)
      return fail(ErrorKind::io, fmt::format("cannot write the disk image: {}", std::strerror(errno)));
    data += put;
    size -= static_cast<std::size_t>(put);
    offset += static_cast<std::uint64_t>(put);
  }
  return ok();
}

/// Copies `from` to `offset` of the image. Runs of zeros become holes: the image starts as one.
Status copy_part(const fs::path& from, int image, const Partition& partition) {
  const FileDescriptor file(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0)
    return fail(ErrorKind::io, fmt::format("cannot read {}: {}", from.string(), std::strerror(errno)));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > partition.size)
    return fail(ErrorKind::usage,
                fmt::format("{} does not fit into its partition: it has {}, the partition {}",
                            partition.label, human_size(size), human_size(partition.size)),
                "raise the size in the profile, or leave packages out");

  constexpr std::size_t kBlock = 64 * 1024;
  std::vector<char> buffer(1u << 20);
  static const std::vector<char> kZeros(kBlock, 0);
  std::uint64_t at = 0;
  while (at < size) {
    CHECK_OK(check_interrupt());
    const off_t data = ::lseek(file.get(), static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    if (data > 0) at = std::max(at, static_cast<std::uint64_t>(data) / kBlock * kBlock);
    const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(ErrorKind::io, fmt::format("cannot read {}: {}", from.string(), std::strerror(errno)));
    if (got == 0)
      return fail(ErrorKind::io, fmt::format("{} became shorter while it was read", from.string()));
    const auto count = static_cast<std::size_t>(got);
    for (std::size_t start = 0; start < count; start += kBlock) {
      const std::size_t length = std::min(kBlock, count - start);
      if (std::memcmp(buffer.data() + start, kZeros.data(), length) == 0) continue;
      CHECK_OK(write_at(image, buffer.data() + start, length, partition.start + at + start));
    }
    at += count;
  }
  return ok();
}

Status check_free_space(std::uint64_t needed, const fs::path& out) {
  const fs::path folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
  struct statvfs status{};
  if (::statvfs(folder.c_str(), &status) != 0)
    return fail(ErrorKind::io, fmt::format("cannot look at {}: {}", folder.string(), std::strerror(errno)));
  const std::uint64_t free = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (free < needed)
    return fail(ErrorKind::io,
                fmt::format("the disk image needs {}, {} has {} free", human_size(needed), folder.string(),
                            human_size(free)),
                "free some space or write the image elsewhere");
  return ok();
}

/// The code of the master boot record, in front of the partition table that is there.
Status write_boot_code(const fs::path& from, int image) {
  TRY(const std::string code, read_file(from, kBootCodeSize));
  return write_at(image, code.data(), code.size(), 0);
}

}  // namespace

Result<NewDisk> NewDisk::create(const Layout& layout, const std::string& hostname,
                                const tools::Toolbox& toolbox, const fs::path& out, std::uint64_t needed) {
  TRY(std::vector<Partition> partitions, place_partitions(layout, hostname));
  CHECK_OK(check_free_space(needed, out));
  TRY(NewFile file, NewFile::create(out));
  if (::ftruncate(file.fd(), static_cast<off_t>(disk_size(partitions))) != 0)
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", out.string(), std::strerror(errno)));

  TRY(Command sfdisk, toolbox.command("sfdisk", {"--quiet", "--no-reread", "--no-tell-kernel", "--lock=no",
                                                 "--wipe", "never", fs::absolute(file.path()).string()}));
  sfdisk.input = sfdisk_script(partitions, hostname);
  CHECK_OK(run(sfdisk));
  return NewDisk(std::move(file), std::move(partitions));
}

Status NewDisk::fill(PartitionNumber partition, const fs::path& image) {
  return copy_part(image, file_.fd(), at(partition));
}

Status NewDisk::add_boot_code(const fs::path& code) {
  return write_boot_code(code, file_.fd());
}

Status NewDisk::add_record(std::string_view record) {
  if (record.size() > kDiskRecordRoom)
    return fail(ErrorKind::internal, fmt::format("the record of the disk has {} bytes", record.size()));
  return write_at(file_.fd(), record.data(), record.size(), disk_record_place(at(kEspNumber)));
}

std::uint64_t allocated_bytes(const std::vector<fs::path>& files) {
  std::uint64_t sum = 0;
  for (const fs::path& file : files) {
    struct stat status{};
    if (::stat(file.c_str(), &status) == 0) sum += static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  return sum;
}

bool looks_like_disk(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char start[8];
  return file && ::pread(file.get(), start, sizeof start, 512) == sizeof start &&
         std::string_view(start, sizeof start) == "EFI PART";
}

}  // namespace mailstead::image
