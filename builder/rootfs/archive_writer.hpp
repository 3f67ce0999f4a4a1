// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/result.hpp"
#include "base/run.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::rootfs {

/// Whether write_tar keeps Inode::origin, as the extended attribute kOriginAttribute. For our own cache only.
enum class Origins { leave_out, keep };
inline constexpr const char* kOriginAttribute = "user.mailstead.origin";

/// Streams the tree as a tar (pax interchange format, POSIX.1-2001; ustar headers wherever they suffice):
/// numeric owners without names, extended attributes as SCHILY.xattr.*, further names of a file as hard links
/// to its first. No root directory entry. Equal trees give equal bytes. Errors: those of `sink`, of reading a
/// content, and of the format.
Status write_tar(const FileTree& tree, const Sink& sink, Origins origins = Origins::leave_out);

/// Streams the tree as a cpio archive (newc, as the kernel's initramfs wants it). Inode numbers count from 1
/// in the order of the tree; of several hard links the last carries the content. The format has no extended
/// attributes: they are lost.
Status write_cpio(const FileTree& tree, const Sink& sink);

/// What the tree of a tar may have, whoever made it: it is held in memory, and one entry may name two
/// thousand folders. All of an appliance has 7,000 paths of 400 kB together.
struct TarLimits {
  std::size_t paths = 250'000;  ///< with folders that have no entry of their own
  /// Bytes of paths, targets of symlinks, and extended attributes. A path that has no entry of its own counts
  /// for 4095.
  std::size_t names = 64u << 20;
};

/// Reads an uncompressed tar as written by write_tar; origins are set if they were kept. Contents stay in the
/// file, which must not change while the tree is in use (it may be unlinked). Errors (ErrorKind::integrity):
/// not a tar, truncated, unsafe paths, types that a tree does not have, more than `limits`; ErrorKind::io.
Result<FileTree> read_tar(const std::filesystem::path& path, const TarLimits& limits = {});

}  // namespace mailstead::rootfs
