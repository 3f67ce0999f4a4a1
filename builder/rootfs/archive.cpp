// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/archive.hpp"

#include <algorithm>
#include <limits>

#include "base/printable.hpp"

namespace mailstead::rootfs {

namespace {

constexpr std::size_t kMaxName = 255;  // NAME_MAX of Linux

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

/// For messages: a hostile name moves no cursor and fills no screen.
std::string shown(std::string_view text) {
  return printable(text.substr(0, 200));
}

Status check_target(std::string_view target) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::integrity, fmt::format("the symlink's target '{}' {}", shown(target), why));
  };
  if (target.empty()) return refuse("is empty");
  if (target.size() > kMaxPath) return refuse("is too long");
  if (has_control_character(target)) return refuse("holds control characters");
  return ok();
}

}  // namespace

Result<std::string> clean_path(const char* raw) {
  if (raw == nullptr) return fail(ErrorKind::integrity, "an entry without a name");
  std::string_view path = raw;
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::integrity, fmt::format("path '{}' {}", shown(raw), why));
  };
  if (path.starts_with('/')) return refuse("is absolute");
  if (path.size() > kMaxPath) return refuse("is too long");
  if (has_control_character(path)) return refuse("holds control characters");
  if (path.empty()) return refuse("is empty");
  if (path == "." || path == "./") return std::string();
  if (path.starts_with("./")) path.remove_prefix(2);
  if (path.ends_with('/')) path.remove_suffix(1);
  for (std::size_t start = 0; start <= path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    const auto part = path.substr(start, end - start);
    if (part.empty()) return refuse("has an empty component");
    if (part == "." || part == "..") return refuse(fmt::format("has a component '{}'", part));
    if (part.size() > kMaxName) return refuse("has a name that is too long");
    start = end + 1;
  }
  return std::string(path);
}

Result<Inode> read_attributes(archive_entry* entry) {
  Inode inode;
  switch (::archive_entry_filetype(entry)) {
    case AE_IFREG:
      inode.type = FileType::regular;
      break;
    case AE_IFDIR:
      inode.type = FileType::directory;
      break;
    case AE_IFLNK: {
      inode.type = FileType::symlink;
      const char* target = ::archive_entry_symlink(entry);
      inode.target = target == nullptr ? "" : target;
      CHECK_OK(check_target(inode.target));
      break;
    }
    case AE_IFCHR:
    case AE_IFBLK:
      return fail(ErrorKind::integrity, "it is a device node");
    default:
      return fail(ErrorKind::integrity, "it is neither a file, a directory nor a symlink");
  }
  if (::archive_entry_sparse_count(entry) > 0) return fail(ErrorKind::integrity, "it is a sparse file");
  const auto uid = ::archive_entry_uid(entry);
  const auto gid = ::archive_entry_gid(entry);
  // The highest value means "leave as it is" to chown(2) and is no id.
  constexpr std::int64_t kLimit = std::numeric_limits<std::uint32_t>::max();
  if (uid < 0 || uid >= kLimit || gid < 0 || gid >= kLimit) {
    return fail(ErrorKind::integrity, fmt::format("its owner {}:{} is out of range", uid, gid));
  }
  inode.uid = static_cast<std::uint32_t>(uid);
  inode.gid = static_cast<std::uint32_t>(gid);
  inode.mode = ::archive_entry_perm(entry) & 07777;
  inode.mtime = ::archive_entry_mtime(entry);
  ::archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    inode.xattrs.insert_or_assign(name, std::string(static_cast<const char*>(value), size));
  }
  return inode;
}

}  // namespace mailstead::rootfs
