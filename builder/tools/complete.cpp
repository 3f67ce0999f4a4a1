// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/complete.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "base/files.hpp"

namespace fs = std::filesystem;

namespace mailstead::tools {
namespace {

struct Sum {
  std::uint64_t files = 0;  ///< with folders and symlinks
  std::uint64_t bytes = 0;  ///< of regular files
};

/// Adds what is below the folder `name` of `parent`; false if something cannot be looked at. With stat(2)
/// relative to the open folder, half the time of paths from "/".
bool add_up(int parent, const char* name, Sum& sum) {
  FileDescriptor folder(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return false;
  const int fd = folder.get();
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd), ::closedir);
  if (!listing) return false;
  folder.release();  // closed with the listing
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr) return errno == 0;
    const std::string_view entry_name = entry->d_name;
    if (entry_name == "." || entry_name == ".." || entry_name == kMarkName) continue;
    struct stat status{};
    if (::fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
    ++sum.files;
    if (S_ISREG(status.st_mode)) sum.bytes += static_cast<std::uint64_t>(status.st_size);
    if (S_ISDIR(status.st_mode) && !add_up(fd, entry->d_name, sum)) return false;
  }
}

/// What the mark of `folder` has to say if nothing is missing.
std::optional<std::string> describe(const fs::path& folder) {
  Sum sum;
  if (!add_up(AT_FDCWD, folder.c_str(), sum)) return {};
  return fmt::format("files {}\nbytes {}\n", sum.files, sum.bytes);
}

}  // namespace

Status mark_complete(const fs::path& folder) {
  const auto io_error = [&] {
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", folder.string(), std::strerror(errno)));
  };
  const auto text = describe(folder);
  if (!text) return io_error();
  const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // One syncfs(2) instead of an fsync(2) for each of thousands of files.
  if (!file || ::syncfs(file.get()) != 0) return io_error();
  CHECK_OK(write_file(folder / kMarkName, *text));
  if (::fsync(file.get()) != 0) return io_error();
  return ok();
}

bool is_complete(const fs::path& folder) {
  constexpr std::uint64_t kLongest = 100;
  const auto mark = read_file(folder / kMarkName, kLongest);
  return mark && describe(folder) == *mark;
}

}  // namespace mailstead::tools
