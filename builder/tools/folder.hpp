// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::tools {

/// Writes `tree` below the existing folder `root`, for programs that read files from disk. Owners, times and
/// extended attributes are not kept, files are 0644 or 0755, folders 0755: whatever the tree says, the result
/// can be read, changed and removed by an ordinary user. Symlinks are made last, so that nothing is ever
/// written through one, and lead nowhere but below `root`, so that no program reads or writes elsewhere
/// through one: "/etc/x" becomes "../etc/x" in usr/. Hard links become copies. Errors: ErrorKind::io;
/// ErrorKind::integrity for a symlink that climbs out of the tree.
Status write_folder(const rootfs::FileTree& tree, const std::filesystem::path& root);

}  // namespace mailstead::tools
