// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace mailstead::tools {

/// The file that marks a folder as complete.
inline constexpr const char* kMarkName = ".mailstead-complete";

/// Makes all files of `folder` durable and then marks it as complete with their number and total size. The
/// order matters: after a power cut a file system may have a name without its bytes, but never the mark
/// without the files that it counts. Errors: ErrorKind::io.
Status mark_complete(const std::filesystem::path& folder);

/// True if `folder` has a mark and still the number of files and the total size that it tells. Reads no file
/// but the mark: 5 ms for 2,300 files.
bool is_complete(const std::filesystem::path& folder);

}  // namespace mailstead::tools
