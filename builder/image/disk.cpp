// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "image/bios_boot.hpp"
#include "image/image.hpp"
#include "image/partitions.hpp"

namespace mailstead::image {
namespace {

namespace fs = std::filesystem;

/// A new file in the folder of `out`, without a name, so that nothing is left of it even if we are killed.
/// Where a file system has no such files (NFS, overlayfs of older kernels), it has a temporary one and is
/// removed unless it is kept.
class NewFile {
 public:
  static Result<NewFile> create(const fs::path& out) {
    const fs::path folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
    if (FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)); file) {
      std::string path = fmt::format("/proc/{}/fd/{}", ::getpid(), file.get());
      if (::access(path.c_str(), R_OK | W_OK) == 0) return NewFile(std::move(path), false, std::move(file));
    }
    std::string name = (folder / temporary_name(out, "XXXXXX")).string();
    FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
    if (!file)
      return fail(ErrorKind::io,
                  fmt::format("cannot make a file in {}: {}", folder.string(), std::strerror(errno)));
    return NewFile(std::move(name), true, std::move(file));
  }
  NewFile(NewFile&& other) noexcept
      : path_(std::move(other.path_)),
        named_(std::exchange(other.named_, false)),
        file_(std::move(other.file_)) {}
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile() {
    if (named_) ::unlink(path_.c_str());
  }

  int fd() const { return file_.get(); }
  /// By which another program can open it.
  const std::string& path() const { return path_; }

  /// Makes it durable and names it `out`. It stays readable by its owner only, as it was made: an image holds
  /// private keys and password hashes.
  Status keep(const fs::path& out) {
    if (::fsync(file_.get()) != 0 || (!named_ && !give_name(out)) ||
        (named_ && std::rename(path_.c_str(), out.c_str()) != 0)) {
      return fail(ErrorKind::io, fmt::format("cannot write {}: {}", out.string(), std::strerror(errno)));
    }
    named_ = false;
    return ok();
  }

 private:
  NewFile(std::string path, bool named, FileDescriptor file)
      : path_(std::move(path)), named_(named), file_(std::move(file)) {}

  static std::string temporary_name(const fs::path& out, std::string_view end) {
    return fmt::format(".{}.{}", out.filename().string(), end);
  }

  /// The name `out`, or if that is taken a temporary one for rename(2), as link(2) replaces nothing.
  bool give_name(const fs::path& out) {
    const std::string nameless = path_;
    const auto link = [&](const fs::path& name) {
      return ::linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
    };
    if (link(out)) return true;
    for (int i = 0; errno == EEXIST && i < 100; ++i) {
      const fs::path name = out.parent_path() / temporary_name(out, fmt::format("{}", i));
      if (!link(name)) continue;
      path_ = name.string();
      named_ = true;
      return true;
    }
    return false;
  }

  std::string path_;
  bool named_;
  FileDescriptor file_;
};

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

std::uint64_t allocated_bytes(const std::vector<fs::path>& files) {
  std::uint64_t sum = 0;
  for (const fs::path& file : files) {
    struct stat status{};
    if (!file.empty() && ::stat(file.c_str(), &status) == 0)
      sum += static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  return sum;
}

Status check_free_space(const DiskParts& parts, const fs::path& out) {
  const fs::path folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
  const std::uint64_t needed =
      2 * kMebibyte + allocated_bytes({parts.esp, parts.boot, parts.usr.file, parts.root.file,
                                       parts.bios_boot_code, parts.bios_core_image});
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
  TRY(const std::string code, read_file(from, kMbrCodeSize));
  return write_at(image, code.data(), code.size(), 0);
}

}  // namespace

Status write_disk(const DiskParts& parts, const Layout& layout, const std::string& scope,
                  const tools::Toolbox& toolbox, const std::filesystem::path& out) {
  TRY(const std::vector<Partition> partitions, place_partitions(layout, scope));
  CHECK_OK(check_free_space(parts, out));
  TRY(NewFile file, NewFile::create(out));
  if (::ftruncate(file.fd(), static_cast<off_t>(disk_size(partitions))) != 0)
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", out.string(), std::strerror(errno)));

  TRY(Command sfdisk, toolbox.command("sfdisk", {"--quiet", "--no-reread", "--no-tell-kernel", "--lock=no",
                                                 "--wipe", "never", fs::absolute(file.path()).string()}));
  sfdisk.input = sfdisk_script(partitions, scope);
  CHECK_OK(run(sfdisk));

  const auto partition = [&](PartitionNumber number) -> const Partition& {
    return partitions[static_cast<std::size_t>(number) - 1];
  };
  CHECK_OK(copy_part(parts.esp, file.fd(), partition(kEspNumber)));
  CHECK_OK(copy_part(parts.boot, file.fd(), partition(kBootNumberA)));
  CHECK_OK(copy_part(parts.usr.file, file.fd(), partition(kUsrNumberA)));
  CHECK_OK(copy_part(parts.root.file, file.fd(), partition(kRootNumberA)));
  if (!parts.bios_boot_code.empty()) {
    CHECK_OK(write_boot_code(parts.bios_boot_code, file.fd()));
    CHECK_OK(copy_part(parts.bios_core_image, file.fd(), partition(kBiosNumber)));
  }
  return file.keep(out);
}

bool looks_like_disk(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char start[8];
  return file && ::pread(file.get(), start, sizeof start, 512) == sizeof start &&
         std::string_view(start, sizeof start) == "EFI PART";
}

}  // namespace mailstead::image
