// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::rootfs {

/// The lines that make /var, and where the files that belong there are copied from.
inline constexpr const char* kVarDeclaration = "usr/lib/tmpfiles.d/00-mailstead-var.conf";
inline constexpr const char* kVarFactory = "usr/share/factory/mailstead/var";

/// Moves what is below var/ out of the tree, because /var is a data partition that is empty at first boot,
/// and declares it for systemd-tmpfiles (tmpfiles.d(5)), which makes at every boot what is missing:
/// directories (`d`), files (`C`, copied from kVarFactory) and symlinks (`L`), all with numeric modes and
/// owners. Directories and links that a tmpfiles.d file in the tree declares already are left to it. No line
/// is recursive and systemd-tmpfiles follows no symlink that another user than root could have made, so an
/// owner is never changed outside of /var. The directory var stays with the symlinks that got a line: hidden
/// at run time, but there for who reads the image at rest, such as a scanner that looks for var/lib/dpkg. To
/// be called when everything but the site's own files is in the tree. `clock` is the time of the new files.
///
/// Errors: something below a directory of one user belongs to another (ErrorKind::internal; systemd-tmpfiles
/// would refuse it as an unsafe path transition at boot), a name has control characters, or the tree cannot
/// take the files.
Status declare_var(FileTree& tree, std::int64_t clock);

}  // namespace mailstead::rootfs
