// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace mailstead {

/// The file to write when the user names `path` for a result: `path` itself, or what it leads to if it is a
/// symbolic link, so that the link stays and what it names is new. The file need not exist. Errors
/// (ErrorKind::usage): "-", a folder, a device or anything else that is not a file, a link to nothing or to
/// itself; its folder does not exist or cannot be written (ErrorKind::io).
Result<std::filesystem::path> output_file(const std::filesystem::path& path);

/// The same for a JSON document, which replaces nothing but such a one, or an empty file. Errors:
/// ErrorKind::usage.
Result<std::filesystem::path> document_file(const std::filesystem::path& path);

}  // namespace mailstead
