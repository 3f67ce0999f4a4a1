// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/ownership.hpp"

namespace mailstead {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> io_error(std::string_view doing, const fs::path& path, int error) {
  std::string hint;
  if (error == ENOSPC || error == EDQUOT)
    hint = "free some space there, or choose another place (that of the cache: MAILSTEAD_CACHE)";
  if (error == EACCES || error == EPERM) hint = "check the permissions, or choose another place";
  return fail(ErrorKind::io, fmt::format("cannot {} {}: {}", doing, path.string(), std::strerror(error)),
              hint);
}

/// Absolute, without symlinks and "..": some programs that get such a path take it apart by its text.
Result<fs::path> clean_path(const fs::path& path) {
  std::error_code error;
  fs::path clean = fs::absolute(path, error);
  if (!error) clean = fs::weakly_canonical(clean, error);
  if (error) return io_error("find", path, error.value());
  return clean;
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::uint64_t limit) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return io_error("open", path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return io_error("look at", path, errno);
  if (!S_ISREG(status.st_mode))
    return fail(ErrorKind::io, fmt::format("{} is not a regular file", path.string()));
  if (static_cast<std::uint64_t>(status.st_size) > limit) {
    return fail(ErrorKind::io, fmt::format("{} is larger than {}", path.string(), human_size(limit)));
  }
  std::string text;
  text.resize(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

Status write_file(const fs::path& name, std::string_view data, unsigned mode) {
  fs::path path = name;
  std::error_code error;
  if (fs::is_symlink(fs::symlink_status(name, error))) {
    path = fs::canonical(name, error);
    if (error) return io_error("follow the symbolic link", name, error.value());
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::string temporary = (folder / fmt::format(".{}.XXXXXX", path.filename().string())).string();
  FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return io_error("create a file beside", path, errno);
  const auto give_up = [&](std::string_view doing, int number) -> Status {
    ::unlink(temporary.c_str());
    return io_error(doing, path, number);
  };
  if (!write_all(file.get(), data)) return give_up("write", errno);
  if (::fchmod(file.get(), static_cast<mode_t>(mode)) != 0) return give_up("set the mode of", errno);
  if (::fsync(file.get()) != 0) return give_up("write", errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return give_up("replace", errno);
  return ok();
}

Status make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return io_error("create the folder", path, error.value());
  return ok();
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

bool write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t put = ::write(fd, data.data(), data.size());
    if (put < 0 && errno != EINTR) return false;
    if (put > 0) data.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

void open_standard_streams() {
  // open(2) takes the lowest free number.
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF && ::open("/dev/null", O_RDONLY) != fd) std::abort();
  }
}

int FileDescriptor::release() {
  return std::exchange(fd_, -1);
}

void FileDescriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<TemporaryDirectory> TemporaryDirectory::create(const fs::path& parent) {
  fs::path where = parent;
  if (where.empty()) {
    std::error_code error;
    where = fs::temp_directory_path(error);
    if (error) return io_error("find the temporary folder", "$TMPDIR", error.value());
    where = fs::canonical(where, error);
    if (error) return io_error("find the temporary folder", "$TMPDIR", error.value());
    // A scratch folder may only be one's own below one that is sticky.
    if (auto own = require_own_path(where / "x"); !own) {
      own.error().hint = "let TMPDIR name a folder of your own";
      return fail(std::move(own).error());
    }
  }
  std::string name = (where / "mailstead.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return io_error("create a folder in", where, errno);
  return TemporaryDirectory(fs::path(name));
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;  // nothing useful can be done about what cannot be removed
  fs::remove_all(path_, ignored);
}

Result<fs::path> cache_directory() {
  fs::path path;
  if (const char* chosen = std::getenv("MAILSTEAD_CACHE"); chosen != nullptr && *chosen != '\0') {
    path = chosen;
  } else if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg == '/') {
    path = fs::path(xdg) / "mailstead";
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    path = fs::path(home) / ".cache" / "mailstead";
  } else {
    return fail(ErrorKind::usage, "there is no place for downloads: neither MAILSTEAD_CACHE nor HOME is set",
                "set MAILSTEAD_CACHE to a folder");
  }
  TRY(path, clean_path(path));
  CHECK_OK(make_directories(path));
  // Programs are run from there, and images made of what lies there.
  CHECK_OK(require_own_tree(path));
  return path;
}

Result<fs::path> data_directory() {
  const auto complete = [](const fs::path& path) {
    std::error_code error;
    return fs::is_directory(path / "profiles", error) && fs::is_directory(path / "rootfs-overlays", error);
  };
  if (const char* chosen = std::getenv("MAILSTEAD_DATA"); chosen != nullptr && *chosen != '\0') {
    if (!complete(chosen)) {
      return fail(ErrorKind::usage,
                  fmt::format("MAILSTEAD_DATA is {}, which has no profiles/ and rootfs-overlays/", chosen),
                  "unset it, or set it to the folder with Mailstead's data");
    }
    return clean_path(chosen);
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    fs::path installed = (program.parent_path() / MAILSTEAD_DATA_FROM_PROGRAM).lexically_normal();
    if (complete(installed)) return installed;
  }
  if (complete(MAILSTEAD_SOURCE_DIR)) return fs::path(MAILSTEAD_SOURCE_DIR);
  return fail(ErrorKind::io, "Mailstead's own data (profiles/, rootfs-overlays/) was not found",
              "set MAILSTEAD_DATA to the folder that holds them");
}

std::optional<std::uint64_t> free_space(const fs::path& folder) {
  struct statvfs status{};
  // File systems that know no sizes have 0 blocks in all.
  if (::statvfs(folder.c_str(), &status) != 0 || status.f_blocks == 0) return std::nullopt;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

Status require_cache_space(const fs::path& folder, std::uint64_t needed, std::string_view what) {
  const auto free = free_space(folder);
  if (!free || *free >= needed) return ok();
  return fail(ErrorKind::io,
              fmt::format("{} need {}, and the disk of the cache ({}) has {} free", what, human_size(needed),
                          folder.string(), human_size(*free)),
              kCacheFull);
}

std::string human_size(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0 || value >= 9.95) return fmt::format("{:.0f} {}", value, kUnits[unit]);
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace mailstead
