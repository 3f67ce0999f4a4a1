// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/file_tree.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "crypto/digest.hpp"

namespace mailstead::rootfs {

namespace {

constexpr std::size_t kBlockSize = 256 * 1024;
constexpr int kMaxSymlinks = 40;  // what Linux follows before it answers ELOOP

/// pread(2) of exactly `size` bytes.
Status read_exactly(int fd, char* data, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, data, size, static_cast<off_t>(offset));
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail(ErrorKind::io, fmt::format("cannot read the spool: {}", std::strerror(errno)));
    }
    if (got == 0) return fail(ErrorKind::internal, "the spool is shorter than a file that should be in it");
    data += got;
    size -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return ok();
}

/// Splits at slashes, last component first, so that components can be taken from the back.
std::vector<std::string> split_reversed(std::string_view path) {
  std::vector<std::string> parts;
  while (true) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) break;
    parts.emplace_back(path.substr(slash + 1));
    path = path.substr(0, slash);
  }
  parts.emplace_back(path);
  return parts;
}

Status check_components(std::string_view path) {
  if (const auto nul = path.find('\0'); nul != std::string_view::npos) {
    return fail(ErrorKind::integrity, fmt::format("path '{}' holds a NUL byte", path.substr(0, nul)));
  }
  std::size_t start = 0;
  while (start <= path.size()) {
    const auto end = std::min(path.find('/', start), path.size());
    const auto part = path.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") {
      return fail(ErrorKind::integrity, fmt::format("path '{}' has a component '{}'", path, part));
    }
    start = end + 1;
  }
  return ok();
}

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view type_name(FileType type) {
  switch (type) {
    case FileType::directory:
      return "directory";
    case FileType::regular:
      return "file";
    case FileType::symlink:
      return "symlink";
  }
  return "?";
}

/// Takes the leading symlinks (with `follow_last`, the last component too) out of a path whose components are
/// checked.
Result<std::string> resolve(const FileTree::Map& paths, std::string_view path, bool follow_last) {
  std::vector<std::string> pending = split_reversed(path);
  std::string resolved;
  int followed = 0;
  while (!pending.empty()) {
    const std::string part = std::move(pending.back());
    pending.pop_back();
    if (part.empty() || part == ".") continue;  // only symlink targets still have these
    if (part == "..") {
      if (resolved.empty()) {
        return fail(ErrorKind::integrity,
                    fmt::format("path '{}' leads out of the tree through a symlink", path));
      }
      resolved = parent_of(resolved);
      continue;
    }
    std::string next = resolved.empty() ? part : fmt::format("{}/{}", resolved, part);
    const auto found = paths.find(next);
    const bool follow = !pending.empty() || follow_last;
    if (follow && found != paths.end() && found->second->type == FileType::symlink) {
      if (++followed > kMaxSymlinks) {
        return fail(ErrorKind::integrity, fmt::format("path '{}' has a loop of symlinks", path));
      }
      const std::string& target = found->second->target;
      if (target.starts_with('/')) resolved.clear();
      for (auto& piece : split_reversed(target)) {
        // Reversed order: the pieces have to end up on top of `pending` with the first one last.
        pending.push_back(std::move(piece));
      }
      continue;
    }
    resolved = std::move(next);
  }
  return resolved;
}

}  // namespace

Content::Content(std::string bytes)
    : bytes_(std::make_shared<const std::string>(std::move(bytes))), size_(bytes_->size()) {}

Content::Content(std::shared_ptr<const FileDescriptor> spool, std::uint64_t offset, std::uint64_t size)
    : spool_(std::move(spool)), offset_(offset), size_(size) {}

std::uint64_t Content::size() const {
  return size_;
}

Result<std::string> Content::read() const {
  if (bytes_) return *bytes_;
  std::string data(size_, '\0');
  if (size_ > 0) CHECK_OK(read_exactly(spool_->get(), data.data(), data.size(), offset_));
  return data;
}

Status Content::stream(const std::function<Status(const char* data, std::size_t size)>& sink) const {
  if (size_ == 0) return ok();
  if (bytes_) return sink(bytes_->data(), bytes_->size());
  std::vector<char> block(static_cast<std::size_t>(std::min<std::uint64_t>(size_, kBlockSize)));
  for (std::uint64_t done = 0; done < size_;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size_ - done));
    CHECK_OK(read_exactly(spool_->get(), block.data(), size, offset_ + done));
    CHECK_OK(sink(block.data(), size));
    done += size;
  }
  return ok();
}

Inode symlink_inode(std::string target, std::int64_t mtime, std::string origin) {
  Inode inode;
  inode.type = FileType::symlink;
  inode.mode = 0777;
  inode.mtime = mtime;
  inode.target = std::move(target);
  inode.origin = std::move(origin);
  return inode;
}

Result<std::string> FileTree::canonical(std::string_view path) const {
  CHECK_OK(check_components(path));
  // A path that is in the tree, or whose parent is there as a directory, has no symlink on its way.
  const auto parent = parent_of(path);
  if (parent.empty()) return std::string(path);
  const auto found = paths_.find(parent);
  if (found != paths_.end() && found->second->type == FileType::directory) return std::string(path);
  return resolve(paths_, path, false);
}

Status FileTree::put(std::string_view path, Inode inode) {
  return put_shared(path, std::make_shared<Inode>(std::move(inode)));
}

Status FileTree::put_shared(std::string_view path, std::shared_ptr<Inode> inode) {
  TRY(std::string place, canonical(path));
  if (place.empty())
    return fail(ErrorKind::integrity, fmt::format("path '{}' is the root of the tree", path));
  auto existing = paths_.find(place);
  if (existing != paths_.end() && existing->second->type == FileType::symlink &&
      inode->type == FileType::directory) {
    // As dpkg does: a directory unpacked over a symlink to a directory leaves the symlink.
    TRY(place, resolve(paths_, place, true));
    if (place.empty()) return ok();
    existing = paths_.find(place);
    if (existing != paths_.end() && existing->second->type == FileType::directory) return ok();
  }
  if (existing != paths_.end()) {
    const Inode& old = *existing->second;
    if ((old.type == FileType::directory) != (inode->type == FileType::directory)) {
      return fail(ErrorKind::integrity,
                  fmt::format("{} '{}'{} meets a {} of the same name{}", type_name(inode->type), place,
                              inode->origin.empty() ? "" : " of " + inode->origin, type_name(old.type),
                              old.origin.empty() ? "" : " of " + old.origin));
    }
    existing->second = std::move(inode);
    return ok();
  }
  CHECK_OK(make_parents(place, *inode));
  paths_.emplace(std::move(place), std::move(inode));
  return ok();
}

Status FileTree::make_parents(const std::string& path, const Inode& child) {
  std::vector<std::string_view> missing;
  for (auto parent = parent_of(path); !parent.empty(); parent = parent_of(parent)) {
    const auto found = paths_.find(parent);
    if (found == paths_.end()) {
      missing.push_back(parent);
      continue;
    }
    if (found->second->type == FileType::directory) break;
    return fail(ErrorKind::integrity, fmt::format("'{}' cannot be below '{}', which is a {}", path, parent,
                                                  type_name(found->second->type)));
  }
  for (const auto& parent : missing) {
    paths_.emplace(parent, std::make_shared<Inode>(Inode{.type = FileType::directory,
                                                         .mode = 0755,
                                                         .uid = 0,
                                                         .gid = 0,
                                                         .mtime = child.mtime,
                                                         .content = {},
                                                         .target = {},
                                                         .xattrs = {},
                                                         .origin = child.origin}));
  }
  return ok();
}

Status FileTree::link(std::string_view path, std::string_view existing) {
  TRY(const std::string source, canonical(existing));
  const auto found = paths_.find(source);
  if (found == paths_.end()) {
    return fail(ErrorKind::integrity,
                fmt::format("hard link '{}' to '{}', which does not exist", path, existing));
  }
  if (found->second->type != FileType::regular) {
    return fail(ErrorKind::integrity, fmt::format("hard link '{}' to '{}', which is a {}", path, existing,
                                                  type_name(found->second->type)));
  }
  return put_shared(path, found->second);
}

const Inode* FileTree::find(std::string_view path) const {
  const auto place = canonical(path);
  if (!place) return nullptr;
  const auto found = paths_.find(*place);
  return found == paths_.end() ? nullptr : found->second.get();
}

Inode* FileTree::find(std::string_view path) {
  return const_cast<Inode*>(std::as_const(*this).find(path));
}

std::size_t FileTree::remove(std::string_view path) {
  const auto place = canonical(path);
  if (!place) return 0;
  const auto found = paths_.find(*place);
  if (found == paths_.end()) return 0;
  const auto before = paths_.size();
  // Children are not right behind their directory: "a-b" sorts between "a" and "a/b". '0' is the byte after
  // '/'.
  paths_.erase(paths_.lower_bound(*place + "/"), paths_.lower_bound(*place + "0"));
  paths_.erase(found);
  return before - paths_.size();
}

std::size_t FileTree::remove_matching(const std::string& pattern) {
  const auto before = paths_.size();
  for (auto entry = paths_.begin(); entry != paths_.end();) {
    if (::fnmatch(pattern.c_str(), entry->first.c_str(), 0) != 0) {
      ++entry;
      continue;
    }
    const std::string path = entry->first;
    paths_.erase(paths_.lower_bound(path + "/"), paths_.lower_bound(path + "0"));
    entry = paths_.erase(entry);
  }
  return before - paths_.size();
}

FileTree FileTree::subtree(std::string_view directory) const {
  FileTree result;
  const auto place = canonical(directory);
  if (!place) return result;
  const std::string prefix = *place + "/";
  for (auto entry = paths_.lower_bound(prefix); entry != paths_.end() && entry->first.starts_with(prefix);
       ++entry) {
    result.paths_.emplace_hint(result.paths_.end(), entry->first.substr(prefix.size()), entry->second);
  }
  return result;
}

Result<std::string> dump(const FileTree& tree) {
  std::string text;
  for (const auto& [path, inode] : tree) {
    switch (inode->type) {
      case FileType::symlink:
        text += fmt::format("/{} symlink {}", path, inode->target);
        break;
      case FileType::directory:
        text += fmt::format("/{} dir {:04o} {}:{}", path, inode->mode, inode->uid, inode->gid);
        break;
      case FileType::regular: {
        crypto::Sha256 digest;
        CHECK_OK(inode->content.stream([&](const char* data, std::size_t size) {
          digest.update({data, size});
          return ok();
        }));
        text += fmt::format("/{} file {:04o} {}:{} {}", path, inode->mode, inode->uid, inode->gid,
                            crypto::to_hex(digest.finish()).substr(0, 8));
        break;
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace mailstead::rootfs
