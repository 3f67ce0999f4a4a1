// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.hpp"
#include "base/interrupt.hpp"

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
    while (size > 0) {
      const ssize_t put = ::write(file.get(), data, size);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail(io_error(path));
      data += put;
      size -= static_cast<std::size_t>(put);
    }
    return ok();
  });
}

}  // namespace

Status write_folder(const rootfs::FileTree& tree, const std::filesystem::path& root) {
  for (const auto& [name, inode] : tree) {
    const std::filesystem::path path = root / name;
    if (inode->type == rootfs::FileType::directory) {
      if (::mkdir(path.c_str(), 0755) != 0 || ::chmod(path.c_str(), 0755) != 0) return fail(io_error(path));
    } else if (inode->type == rootfs::FileType::regular) {
      CHECK_OK(check_interrupt());
      CHECK_OK(write_content(*inode, path));
    }
  }
  for (const auto& [name, inode] : tree) {
    if (inode->type != rootfs::FileType::symlink) continue;
    const std::filesystem::path path = root / name;
    if (::symlink(inode->target.c_str(), path.c_str()) != 0) return fail(io_error(path));
  }
  return ok();
}

}  // namespace mailstead::tools
