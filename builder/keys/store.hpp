// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace mailstead::keys {

/// Whether anything bears the name, a symbolic link that points nowhere included.
bool name_taken(const std::filesystem::path& path);

/// Creates a file of mode 0600 whatever the umask, and its missing folders with mode 0700. The name appears
/// only when all bytes are on the disk, and whatever already has the name stays as it is: true if the file
/// was made, false if the name was taken. Errors: ErrorKind::io; ErrorKind::usage if others may write to the
/// folder (they could then replace the key).
Result<bool> create_private_file(const std::filesystem::path& path, std::string_view data);

}  // namespace mailstead::keys
