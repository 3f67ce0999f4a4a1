// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace mailstead::tools {

/// The file that marks a folder as complete.
inline constexpr const char* kMarkName = ".mailstead-complete";

/// Marks a folder as complete with a digest of the names, modes and contents of its files. They are not made
/// durable first, which would mean to wait for all that anybody has written to the file system: after a power
/// cut the mark may be there without bytes that it speaks for, and is_complete then says no. Errors:
/// ErrorKind::io.
Status mark_complete(const std::filesystem::path& folder);

/// True if `folder` has a mark and nothing in it has changed since: what a bad disk does to a program that
/// writes bits would be in every image. Reads all files: 0.1 s for the 86 MB of a lock's tools.
bool is_complete(const std::filesystem::path& folder);

}  // namespace mailstead::tools
