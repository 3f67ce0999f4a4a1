// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::inspect {

enum class Change { added, removed, changed };

/// A path that two trees have differently.
struct FileDifference {
  std::string path;
  Change change = Change::changed;
  std::vector<std::string> what;  ///< of a changed one: "content", "mode 0644 -> 0600", "owner 0:0 -> 0:8", …
  bool content = false;           ///< its content is another one
};

/// Compares types, owners, modes, contents, targets and extended attributes, in byte order of paths. Times
/// are not compared: they come from the lock's archive time. Errors: contents that cannot be read.
Result<std::vector<FileDifference>> diff_trees(const rootfs::FileTree& before, const rootfs::FileTree& after);

/// Whether anyone on the machine can read the regular file `path` of `tree`: it and all folders above it let
/// others in. What is not so may be a secret.
bool is_public(const rootfs::FileTree& tree, const std::string& path);

/// The regular file `path` before and after (of which one may be missing) as a unified diff made by diff(1),
/// safe for a terminal; empty for what is not to be shown: no text, larger than 1 MiB, or not public wherever
/// it is.
Result<std::string> unified_diff(const rootfs::FileTree& before, const rootfs::FileTree& after,
                                 const std::string& path);

}  // namespace mailstead::inspect
