// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/program.hpp"

namespace mailstead::fetch {
namespace {

namespace fs = std::filesystem;

constexpr auto kPartialLifetime = std::chrono::hours(24 * 7);
/// Files with a name of their own are continued by nobody; the minute is for one that is not locked yet.
constexpr auto kOwnNameLifetime = std::chrono::minutes(1);

tl::unexpected<Error> io_error(std::string_view what, const fs::path& path) {
  const int number = errno;
  return fail(ErrorKind::io, fmt::format("cannot {} {}: {}", what, path.string(), strerror(number)),
              number == ENOSPC || number == EDQUOT ? kCacheFull : "");
}

bool try_lock(int fd) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

/// Whether `path` still names the open file: between open and flock another process may have renamed or
/// removed it.
bool names_file(const fs::path& path, int fd) {
  struct stat opened{};
  struct stat named{};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

tl::unexpected<Error> wrong_digest(const lock::Package& package, const std::string& found,
                                   std::string_view where) {
  return fail(ErrorKind::integrity,
              fmt::format("{} {} {} is not what the lock says\n  SHA-256 locked: {}\n  SHA-256 found:  {}",
                          package.name, package.version, where, package.sha256, found),
              {});
}

/// Removes partial files that are old and that no process works on.
void remove_stale(const fs::path& folder) {
  std::error_code error;
  const auto now = fs::file_time_type::clock::now();
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const auto written = fs::last_write_time(it->path(), ignored);
    const bool own_name = it->path().filename().string().find('.') != std::string::npos;
    if (ignored || now - written < (own_name ? fs::file_time_type::duration(kOwnNameLifetime)
                                             : fs::file_time_type::duration(kPartialLifetime))) {
      continue;
    }
    const FileDescriptor file(::open(it->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file && try_lock(file.get()) && names_file(it->path(), file.get())) fs::remove(it->path(), ignored);
  }
}

}  // namespace

PartialFile::PartialFile(lock::Package package, fs::path path, fs::path target, FileDescriptor file)
    : package_(std::move(package)),
      path_(std::move(path)),
      target_(std::move(target)),
      file_(std::move(file)) {}

PartialFile::~PartialFile() {
  if (!file_) return;
  std::error_code ignored;
  if (size_ == 0 || !resumable_) fs::remove(path_, ignored);
}

Status PartialFile::hash_existing() {
  std::array<char, 1 << 16> block;
  while (true) {
    const ssize_t count = ::read(file_.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("read", path_);
    if (count == 0) break;
    size_ += static_cast<std::uint64_t>(count);
    if (size_ > package_.size) return restart();
    hash_.update({block.data(), static_cast<std::size_t>(count)});
  }
  return ok();
}

Status PartialFile::append(std::string_view data) {
  if (data.size() > package_.size - size_) {
    return fail(ErrorKind::integrity, fmt::format("{} {} is larger than the {} bytes that the lock says",
                                                  package_.name, package_.version, package_.size));
  }
  hash_.update(data);
  while (!data.empty()) {
    const ssize_t count = ::write(file_.get(), data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("write", path_);
    size_ += static_cast<std::uint64_t>(count);
    data.remove_prefix(static_cast<std::size_t>(count));
  }
  return ok();
}

Status PartialFile::restart() {
  hash_ = crypto::Sha256();
  size_ = 0;
  if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0)
    return io_error("empty", path_);
  return ok();
}

Result<fs::path> PartialFile::finish(std::string_view where) {
  const std::string found = crypto::to_hex(hash_.finish());
  if (size_ != package_.size || found != package_.sha256) {
    CHECK_OK(restart());
    return wrong_digest(package_, found, where);
  }
  if (::fchmod(file_.get(), 0644) != 0) return io_error("set the mode of", path_);
  if (::mkdir(target_.parent_path().c_str(), 0777) != 0 && errno != EEXIST)
    return io_error("create the folder", target_.parent_path());
  if (::rename(path_.c_str(), target_.c_str()) != 0) return io_error("rename", path_);
  file_.reset();
  return target_;
}

Result<Store> Store::open(const fs::path& cache) {
  Store store(cache / "store");
  CHECK_OK(make_directories(store.root_ / "sha256"));
  CHECK_OK(make_directories(store.root_ / "partial"));
  remove_stale(store.root_ / "partial");
  return store;
}

fs::path Store::path(const std::string& sha256) const {
  return root_ / "sha256" / sha256.substr(0, 2) / sha256;
}

Result<std::optional<fs::path>> Store::get(const lock::Package& package) const {
  fs::path object = path(package.sha256);
  struct stat status{};
  if (::lstat(object.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return io_error("look at", object);
  }
  if (!S_ISREG(status.st_mode))
    return fail(ErrorKind::integrity, fmt::format("{} {} in the store ({}) is not a file", package.name,
                                                  package.version, object.string()));
  TRY(const auto found, crypto::sha256_file_hex(object));
  if (found != package.sha256)
    return wrong_digest(package, found, fmt::format("in the store ({})", object.string()));
  // These bytes are the package: it is the lock that is wrong, and the file stays for those whose lock is
  // right.
  if (static_cast<std::uint64_t>(status.st_size) != package.size)
    return fail(ErrorKind::usage,
                fmt::format("the lock says that {} {} has {} bytes, but the package of that digest has {}",
                            package.name, package.version, package.size, status.st_size),
                own_command({"lock", "SPEC", "--update"}));
  return object;
}

Status Store::discard(const lock::Package& package) const {
  const fs::path object = path(package.sha256);
  std::error_code error;
  fs::remove_all(object, error);
  if (error)
    return fail(ErrorKind::io, fmt::format("cannot remove {}: {}", object.string(), error.message()));
  return ok();
}

std::uint64_t Store::bytes_to_come(const std::vector<lock::Package>& packages) const {
  std::uint64_t bytes = 0;
  for (const lock::Package& package : packages) {
    std::error_code error;
    const auto there = fs::file_size(root_ / "partial" / package.sha256, error);
    bytes += package.size - (error ? 0 : std::min<std::uint64_t>(there, package.size));
  }
  return bytes;
}

Result<PartialFile> Store::begin(const lock::Package& package) const {
  const fs::path shared = root_ / "partial" / package.sha256;
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  // Some rounds, because the file may be renamed away between open and flock; then a name of our own.
  for (int round = 0; round < 3; ++round) {
    FileDescriptor file(::open(shared.c_str(), kFlags, 0600));
    if (!file) return io_error("open", shared);
    if (!try_lock(file.get())) break;
    if (!names_file(shared, file.get())) continue;
    PartialFile partial(package, shared, path(package.sha256), std::move(file));
    CHECK_OK(partial.hash_existing());
    return partial;
  }
  // Made anew: containers that share a cache have the same process ids.
  std::string own = shared.string() + ".XXXXXX";
  FileDescriptor file(::mkostemp(own.data(), O_CLOEXEC));
  if (!file) return io_error("open", own);
  if (!try_lock(file.get())) return io_error("lock", own);
  PartialFile partial(package, own, path(package.sha256), std::move(file));
  partial.resumable_ = false;
  return partial;
}

}  // namespace mailstead::fetch
