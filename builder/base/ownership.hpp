// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace mailstead {

/// Error (ErrorKind::usage) if anyone but the current user and root can put something else in the place of
/// `path`, which exists, is absolute and without symbolic links: if a folder on the way to it belongs to
/// another user or can be written by others, also by an access control list (acl(5)), unless it is sticky as
/// /tmp. What we run and build from must not be another user's choice.
Status require_own_path(const std::filesystem::path& path);

/// The same for `folder` and all that is in it. A symbolic link directly in it is followed; others lead
/// nowhere but below it, or somebody could have written them.
Status require_own_tree(const std::filesystem::path& folder);

/// How to close `file` to other users: the chmod command, or, where the file system keeps no permissions
/// (FAT, NTFS, Windows folders in WSL), that only another place helps. `shown` is what the command calls it.
std::string closing_hint(const std::filesystem::path& file, const std::string& shown);

/// Whether `folder` is on a file system on which chmod(2) has an effect. A file is made there for the trial;
/// if none can be made, true.
bool keeps_permissions(const std::filesystem::path& folder);

/// The remedy where permissions are not kept.
std::string no_permissions_hint();

}  // namespace mailstead
