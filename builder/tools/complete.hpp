// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace mailstead::tools {

/// The file that marks a folder as complete.
inline constexpr const char* kMarkName = ".mailstead-complete";

/// Makes all files of `folder` durable and then marks it as complete with a digest of their names, modes and
/// contents. The order matters: after a power cut a file system may have a name without its bytes, but never
/// the mark without the files that it speaks for. Errors: ErrorKind::io.
Status mark_complete(const std::filesystem::path& folder);

/// True if `folder` has a mark and nothing in it has changed since: what a bad disk does to a program that
/// writes bits would be in every image. Reads all files: 0.1 s for the 86 MB of a lock's tools.
bool is_complete(const std::filesystem::path& folder);

}  // namespace mailstead::tools
