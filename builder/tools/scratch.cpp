// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/scratch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace fs = std::filesystem;

namespace mailstead::tools {
namespace {

constexpr const char* kPrefix = "mailstead.";
constexpr auto kUnusedLifetime = std::chrono::hours(24 * 30);

/// Opens and locks the lock file of a scratch folder; nothing if somebody else has it. A file and not the
/// folder itself, as network file systems lock only what is open for writing.
FileDescriptor lock(const fs::path& folder) {
  const fs::path path = folder / ".lock";
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    file.reset();
    errno = reason;
    return file;
  }
  // Between open and flock the one who had it may have removed it.
  struct stat opened{};
  struct stat named{};
  if (file && (::fstat(file.get(), &opened) != 0 || ::lstat(path.c_str(), &named) != 0 ||
               opened.st_ino != named.st_ino))
    file.reset();
  return file;
}

std::vector<fs::path> folders_in(const fs::path& parent) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (fs::is_directory(it->symlink_status(ignored))) folders.push_back(it->path());
  }
  return folders;
}

bool is_scratch(const fs::path& folder) {
  return folder.filename().string().starts_with(kPrefix);
}

}  // namespace

Error cannot_lock(const fs::path& folder, int reason) {
  return {ErrorKind::io,
          fmt::format("cannot lock a file in {}: {}", folder.string(), std::strerror(reason)),
          {},
          "let MAILSTEAD_CACHE name a folder on a file system that has locks, such as a local one",
          {},
          {}};
}

ScratchFolder::ScratchFolder(fs::path path, FileDescriptor lock)
    : path_(std::move(path)), lock_(std::move(lock)) {}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

ScratchFolder::~ScratchFolder() {
  if (path_.empty()) return;
  std::error_code ignored;  // nothing useful can be done about what cannot be removed
  fs::remove_all(path_, ignored);
}

Result<ScratchFolder> ScratchFolder::create(const fs::path& parent) {
  CHECK_OK(make_directories(parent));
  // Some rounds, because another process may take a folder that is not locked yet for a leftover.
  for (int round = 0; round < 10; ++round) {
    std::string name = (parent / kPrefix).string() + "XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) break;
    errno = 0;
    if (FileDescriptor file = lock(name)) return ScratchFolder(name, std::move(file));
    if (errno != 0 && errno != EWOULDBLOCK && errno != ENOENT) return fail(cannot_lock(parent, errno));
  }
  return fail(ErrorKind::io,
              fmt::format("cannot make a folder in {}: {}", parent.string(), std::strerror(errno)),
              "check the permissions and the free space there, or choose another cache folder with "
              "MAILSTEAD_CACHE");
}

void remove_leftovers(const fs::path& parent) {
  for (const fs::path& folder : folders_in(parent)) {
    if (!is_scratch(folder)) continue;
    const FileDescriptor mine = lock(folder);
    std::error_code ignored;
    if (mine) fs::remove_all(folder, ignored);
  }
}

void touch(const fs::path& mark) {
  // Where this fails, such as in a cache that belongs to somebody else, it is that one's to keep.
  static_cast<void>(::utimensat(AT_FDCWD, mark.c_str(), nullptr, 0));
}

void remove_unused(const fs::path& parent, const fs::path& mark) {
  std::error_code error;
  if (!fs::is_directory(parent, error)) return;
  // Moved there first, so that no half of a folder is ever found; and its time is the present.
  const auto scratch = ScratchFolder::create(parent);
  if (!scratch) return;
  const auto now = fs::last_write_time(scratch->path(), error);
  if (error) return;
  for (const fs::path& folder : folders_in(parent)) {
    if (is_scratch(folder)) continue;
    auto used = fs::last_write_time(folder / mark, error);
    if (error) used = fs::last_write_time(folder, error);
    if (!error && now - used > kUnusedLifetime)
      fs::rename(folder, scratch->path() / folder.filename(), error);
  }
}

}  // namespace mailstead::tools
