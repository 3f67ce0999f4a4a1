// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "base/result.hpp"

namespace mailstead::rootfs {

/// Bytes of a file: either held in memory, or a range of a spool file on disk (so that a whole system does
/// not have to fit into memory).
class Content {
 public:
  Content() = default;
  explicit Content(std::string bytes);
  Content(std::shared_ptr<const FileDescriptor> spool, std::uint64_t offset, std::uint64_t size);

  std::uint64_t size() const;
  /// The whole content in memory.
  Result<std::string> read() const;
  /// Hands the content to `sink` in blocks, in order.
  Status stream(const std::function<Status(const char* data, std::size_t size)>& sink) const;

 private:
  std::shared_ptr<const std::string> bytes_;
  std::shared_ptr<const FileDescriptor> spool_;
  std::uint64_t offset_ = 0;
  std::uint64_t size_ = 0;
};

enum class FileType { directory, regular, symlink };

/// A file without its name; several paths may share one (hard links).
struct Inode {
  FileType type = FileType::regular;
  std::uint32_t mode = 0644;  ///< permission bits with setuid, setgid and sticky: 0 to 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime = 0;                     ///< seconds since the epoch
  Content content;                            ///< of a regular file
  std::string target;                         ///< of a symlink
  std::map<std::string, std::string> xattrs;  ///< "security.capability" and the like, raw values
  std::string origin;  ///< the package or overlay that brought it, for messages and the manifest
};

/// A symlink of root's to `target`, with the mode that all have (0777).
Inode symlink_inode(std::string target, std::int64_t mtime, std::string origin);

/// A file system in memory. Paths are relative, with '/' between names and none at either end ("usr/bin/sh");
/// the root directory is not listed. Invariants: each path's parents exist and are directories (never
/// symlinks); no component is empty, "." or ".."; iteration is in byte order, parents first.
class FileTree {
 public:
  using Map = std::map<std::string, std::shared_ptr<Inode>, std::less<>>;

  /// Rewrites a path whose leading directories are symlinks in this tree ("bin/sh" to "usr/bin/sh",
  /// usr-merge). Errors: a component is empty, "." or "..", NUL inside, a symlink that leaves the tree or
  /// that loops.
  Result<std::string> canonical(std::string_view path) const;

  /// Adds or replaces. The path is made canonical first. Missing parents are created as root-owned 0755
  /// directories. Putting a directory onto a directory keeps the children and takes the new ownership and
  /// mode. Errors: a directory where a file is and the other way round. A directory onto a symlink to a
  /// directory leaves the symlink and what it points to as they are, as dpkg does.
  Status put(std::string_view path, Inode inode);

  /// Like put, with an inode that other paths may have too (hard links). `inode` is not null.
  Status put_shared(std::string_view path, std::shared_ptr<Inode> inode);

  /// Makes `path` a further name of the regular file `existing`.
  Status link(std::string_view path, std::string_view existing);

  /// Null when there is none. The path is made canonical; a final symlink is not followed.
  const Inode* find(std::string_view path) const;
  Inode* find(std::string_view path);

  /// Removes a file, or a directory with all that is below it. Returns how many paths went.
  std::size_t remove(std::string_view path);

  /// Removes every path that matches the glob pattern (fnmatch(3) without FNM_PATHNAME: '*' also matches
  /// '/'). A directory that matches goes with all that is below it; directories that become empty stay.
  std::size_t remove_matching(const std::string& pattern);

  /// A new tree of what lies below `directory` (its own attributes are lost), with paths relative to it.
  /// Inodes are shared.
  FileTree subtree(std::string_view directory) const;

  Map::const_iterator begin() const { return paths_.begin(); }
  Map::const_iterator end() const { return paths_.end(); }
  std::size_t size() const { return paths_.size(); }
  bool empty() const { return paths_.empty(); }

 private:
  Status make_parents(const std::string& path, const Inode& child);

  Map paths_;
};

/// One line a path, for tests and manifests: "/etc/postfix/main.cf file 0644 0:0 5b41362b" (first 8
/// hexadecimal digits of the SHA-256), "/bin symlink usr/bin", "/usr/bin dir 0755 0:0".
Result<std::string> dump(const FileTree& tree);

}  // namespace mailstead::rootfs
