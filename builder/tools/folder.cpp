// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/threads.hpp"

namespace mailstead::tools {
namespace {

Error io_error(const std::filesystem::path& path) {
  return Error{
      ErrorKind::io, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)), {}, {}, {}, {}};
}

Status write_content(const rootfs::Inode& inode, const std::filesystem::path& path) {
  const mode_t mode = (inode.mode & 0111) != 0 ? 0755 : 0644;
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file || ::fchmod(file.get(), mode) != 0) return fail(io_error(path));
  return inode.content.stream([&](const char* data, std::size_t size) -> Status {
    if (!write_all(file.get(), {data, size})) return fail(io_error(path));
    return ok();
  });
}

/// How many files a thread takes at once: neighbours are mostly in one folder, where the kernel makes one
/// file after the other and lets the other threads spin.
constexpr std::size_t kRun = 32;

/// The regular files, by several threads: most of the time goes into making files, and the kernel makes
/// several at once.
Status write_files(const rootfs::FileTree& tree, const std::filesystem::path& root) {
  std::vector<std::pair<std::filesystem::path, const rootfs::Inode*>> files;
  for (const auto& [name, inode] : tree) {
    if (inode->type == rootfs::FileType::regular) files.emplace_back(root / name, inode.get());
  }
  std::atomic<std::size_t> next = 0;
  const auto work = [&]() -> Status {
    for (std::size_t run = next++; run * kRun < files.size(); run = next++) {
      CHECK_OK(check_interrupt());
      const std::size_t end = std::min(files.size(), (run + 1) * kRun);
      for (std::size_t i = run * kRun; i < end; ++i)
        CHECK_OK(write_content(*files[i].second, files[i].first));
    }
    return ok();
  };
  std::vector<std::future<Status>> others;
  for (std::size_t i = 1; i < useful_threads(); ++i) others.push_back(beside(work));
  Status written = work();
  for (auto& other : others) {
    if (Status status = other.get(); written) written = std::move(status);
  }
  return written;
}

/// The target for the symlink `name` below root. In what it may be, ".." comes first and not more often than
/// there are folders above the link (which are no symlinks): then no chain of such links climbs out either.
Result<std::string> contained_target(const std::string& name, std::string_view target) {
  const auto depth = std::count(name.begin(), name.end(), '/');
  std::ptrdiff_t climbs = 0;
  bool climbing = true;
  bool contained = true;
  std::string_view rest = target;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part != "..") {
      climbing = climbing && (part.empty() || part == ".") && !target.starts_with('/');
    } else if (!climbing || ++climbs > depth) {
      contained = false;
    }
  }
  if (!contained)
    return fail(ErrorKind::integrity,
                fmt::format("the symlink {} leads out of the tree, to {}", name, target),
                "leave the package that brings it out of the profile");
  if (!target.starts_with('/')) return std::string(target);
  std::string relative;
  for (std::ptrdiff_t i = 0; i < depth; ++i) relative += "../";
  const auto start = std::min(target.find_first_not_of('/'), target.size());
  return relative + (start == target.size() ? std::string(".") : std::string(target.substr(start)));
}

}  // namespace

Status write_folder(const rootfs::FileTree& tree, const std::filesystem::path& root) {
  for (const auto& [name, inode] : tree) {
    if (inode->type != rootfs::FileType::directory) continue;
    const std::filesystem::path path = root / name;
    if (::mkdir(path.c_str(), 0755) != 0 || ::chmod(path.c_str(), 0755) != 0) return fail(io_error(path));
  }
  CHECK_OK(write_files(tree, root));
  for (const auto& [name, inode] : tree) {
    if (inode->type != rootfs::FileType::symlink) continue;
    const std::filesystem::path path = root / name;
    TRY(const std::string target, contained_target(name, inode->target));
    if (::symlink(target.c_str(), path.c_str()) != 0) return fail(io_error(path));
  }
  return ok();
}

}  // namespace mailstead::tools
