// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/complete.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "base/threads.hpp"
#include "crypto/digest.hpp"

namespace fs = std::filesystem;

namespace mailstead::tools {
namespace {

struct Entry {
  std::string name;  ///< below the folder
  mode_t mode = 0;   ///< type and permissions
  std::string says;  ///< a symlink's target, a regular file's digest
};

/// Lists what is below the folder `name` of `parent`, `prefix` before each name; false if something cannot be
/// looked at. With stat(2) relative to the open folder, half the time of paths from "/".
bool list(int parent, const char* name, const std::string& prefix, std::vector<Entry>& entries) {
  FileDescriptor folder(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return false;
  const int fd = folder.get();
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd), ::closedir);
  if (!listing) return false;
  folder.release();  // closed with the listing
  while (true) {
    errno = 0;
    const dirent* found = ::readdir(listing.get());
    if (found == nullptr) return errno == 0;
    const std::string_view found_name = found->d_name;
    if (found_name == "." || found_name == ".." || found_name == kMarkName) continue;
    struct stat status{};
    if (::fstatat(fd, found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
    Entry entry{prefix + found->d_name, status.st_mode, {}};
    if (S_ISLNK(status.st_mode)) {
      std::array<char, 4096> target;
      const ssize_t size = ::readlinkat(fd, found->d_name, target.data(), target.size());
      if (size < 0) return false;
      entry.says.assign(target.data(), static_cast<std::size_t>(size));
    }
    entries.push_back(std::move(entry));
    if (S_ISDIR(status.st_mode) && !list(fd, found->d_name, prefix + found->d_name + "/", entries))
      return false;
  }
}

/// Digests the regular files, by as many threads as there are processors; false if one cannot be read.
bool digest_files(const fs::path& folder, std::vector<Entry>& entries) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> all = true;
  in_threads(useful_threads(), [&] {
    for (std::size_t i = next++; all && i < entries.size(); i = next++) {
      if (!S_ISREG(entries[i].mode)) continue;
      auto digest = crypto::sha256_file_hex(folder / entries[i].name);
      if (digest)
        entries[i].says = *std::move(digest);
      else
        all = false;
    }
  });
  return all;
}

/// What the mark of `folder` has to say if nothing is missing or changed.
std::optional<std::string> describe(const fs::path& folder) {
  std::vector<Entry> entries;
  if (!list(AT_FDCWD, folder.c_str(), "", entries) || !digest_files(folder, entries)) return {};
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  crypto::Sha256 hash;
  for (const Entry& entry : entries) {
    hash.update(
        fmt::format("{} {:o} {}\n", entry.name.size(), static_cast<unsigned>(entry.mode), entry.name));
    hash.update(fmt::format("{} {}\n", entry.says.size(), entry.says));
  }
  return fmt::format("sha256 {}\n", crypto::to_hex(hash.finish()));
}

}  // namespace

Status mark_complete(const fs::path& folder) {
  const auto text = describe(folder);
  if (!text)
    return fail(ErrorKind::io, fmt::format("cannot read {}: {}", folder.string(), std::strerror(errno)));
  return write_file(folder / kMarkName, *text);
}

bool is_complete(const fs::path& folder) {
  constexpr std::uint64_t kLongest = 100;
  const auto mark = read_file(folder / kMarkName, kLongest);
  return mark && describe(folder) == *mark;
}

}  // namespace mailstead::tools
