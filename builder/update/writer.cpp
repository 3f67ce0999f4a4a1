// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "disk/disk.hpp"
#include "image/partitions.hpp"

namespace mailstead::update {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> no_target(std::string message, std::string hint = {}) {
  return fail(ErrorKind::usage, std::move(message), std::move(hint));
}

/// The formats of virtual disks that are no plain copy of a disk.
Status require_raw(int fd, const fs::path& path) {
  struct Format {
    off_t offset;  // from the end if negative
    std::string_view magic;
    const char* name;
  };
  constexpr Format kFormats[] = {{0, "QFI\xfb", "qcow2"},          {0, "KDMV", "vmdk"},
                                 {0, "# Disk Descriptor", "vmdk"}, {64, "\x7f\x10\xda\xbe", "vdi"},
                                 {0, "vhdxfile", "vhdx"},          {-512, "conectix", "vhd"}};
  const off_t end = ::lseek(fd, 0, SEEK_END);
  for (const Format& format : kFormats) {
    std::string found(format.magic.size(), '\0');
    const off_t at = format.offset < 0 ? end + format.offset : format.offset;
    if (at < 0 || ::pread(fd, found.data(), found.size(), at) != static_cast<ssize_t>(found.size())) continue;
    if (found == format.magic)
      return no_target(fmt::format("{} is a virtual disk in the format {}; only raw files can be updated",
                                   path.string(), format.name),
                       fmt::format("convert it with `qemu-img convert -O raw {} disk.raw`", path.string()));
  }
  return ok();
}

Status require_whole_disk(int fd, dev_t device, const fs::path& path) {
  std::error_code error;
  if (fs::exists(fmt::format("/sys/dev/block/{}:{}/partition", major(device), minor(device)), error))
    return no_target(fmt::format("{} is a partition, not a whole disk", path.string()),
                     "name the disk that it is on (lsblk shows it)");
  int read_only = 0;
  if (::ioctl(fd, BLKROGET, &read_only) == 0 && read_only != 0)
    return no_target(fmt::format("{} is read-only", path.string()), "attach it writable");
  int sector = 0;
  if (::ioctl(fd, BLKSSZGET, &sector) == 0 && sector != static_cast<int>(disk::kSectorSize))
    return no_target(fmt::format("{} has sectors of {} bytes; images are for sectors of {}", path.string(),
                                 sector, disk::kSectorSize));
  return ok();
}

/// Whether a loop device has this file for its bytes.
bool is_looped(const fs::path& path) {
  std::error_code error;
  const std::string wanted = fs::canonical(path, error).string();
  for (const auto& device : fs::directory_iterator("/sys/block", error)) {
    const auto file = read_file(device.path() / "loop/backing_file", 4096);
    if (file && file->substr(0, file->find('\n')) == wanted) return true;
  }
  return false;
}

tl::unexpected<Error> in_use(const fs::path& path) {
  return no_target(
      fmt::format("{} is in use: it is mounted, a machine runs from it, or another program writes to it",
                  path.string()),
      "switch the machine off, unmount its partitions, or work from a rescue system");
}

}  // namespace

Result<Target> Target::open(const fs::path& name) {
  fs::path path = name;
  std::error_code error;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT)
      return no_target(fmt::format("there is no disk {}", path.string()), "lsblk lists the disks");
    return fail(ErrorKind::io, fmt::format("cannot look at {}: {}", path.string(), std::strerror(errno)));
  }
  const bool device = S_ISBLK(status.st_mode);
  if (device) {
    path = fs::canonical(path, error);
    if (error)
      return fail(ErrorKind::io, fmt::format("cannot follow {}: {}", name.string(), error.message()));
  } else if (fs::is_symlink(fs::symlink_status(path, error))) {
    return no_target(fmt::format("{} is a symbolic link", path.string()), "name the file that it leads to");
  } else if (!S_ISREG(status.st_mode)) {
    return no_target(fmt::format("{} is neither a disk nor a file", path.string()), "lsblk lists the disks");
  }
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | (device ? O_EXCL : 0)));
  if (!file) {
    if (errno == EBUSY) return in_use(path);
    if (errno == EROFS) return no_target(fmt::format("{} is read-only", path.string()), "attach it writable");
    if (errno == EACCES || errno == EPERM)
      return fail(ErrorKind::io, fmt::format("no permission to write to {}", path.string()),
                  device ? "run this as root" : "change its owner or its mode");
    return fail(ErrorKind::io, fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  }
  struct stat opened{};
  if (::fstat(file.get(), &opened) != 0 || opened.st_ino != status.st_ino || opened.st_dev != status.st_dev)
    return fail(ErrorKind::io, fmt::format("{} has been replaced while it was opened", path.string()));
  if (device) CHECK_OK(require_whole_disk(file.get(), opened.st_rdev, path));
  // QEMU locks its disks like this, files and devices, and so does this program against itself.
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if ((!device && is_looped(path)) ||
      (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES)))
    return in_use(path);
  CHECK_OK(require_raw(file.get(), path));
  return Target(std::move(path), std::move(file));
}

bool Target::is(const fs::path& other) const {
  struct stat here{};
  struct stat there{};
  if (::fstat(file_.get(), &here) != 0 || ::stat(other.c_str(), &there) != 0) return false;
  if (S_ISBLK(here.st_mode)) return S_ISBLK(there.st_mode) && here.st_rdev == there.st_rdev;
  return here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

Status Target::write(std::uint64_t offset, std::string_view bytes) {
  if (offset > image::kDataStart || bytes.size() > image::kDataStart - offset)
    return fail(ErrorKind::internal, fmt::format("a write at byte {} would reach into the data", offset));
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0)
      return fail(ErrorKind::io, fmt::format("cannot write to {} at byte {}: {}", path_.string(), offset,
                                             put < 0 ? std::strerror(errno) : "it is full"));
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return ok();
}

Status Target::flush() {
  if (::fsync(file_.get()) != 0)
    return fail(ErrorKind::io, fmt::format("cannot write to {}: {}", path_.string(), std::strerror(errno)));
  ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
  return ok();
}

}  // namespace mailstead::update
