// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "lock/lock.hpp"

namespace mailstead::lock {

/// Where the lock of a spec lies: mailstead.lock beside it.
std::filesystem::path lock_path_for(const std::filesystem::path& spec);

/// The lock in its file format, version 1: one fact a line, one package a line, sorted, so that changes read
/// well in git; lines that begin with '#' are comments. The last line is "end" with the SHA-256 of the other
/// lines, each with a line feed, without comments. Equal locks give equal bytes.
std::string format_lock(const Lock& lock);

/// Reads what format_lock writes. The text is hostile: every field is checked, order and uniqueness too, so
/// that a path or digest from a lock can be used without further checks. `name` is what messages call the
/// file. Errors (ErrorKind::usage) carry the line. A lock that was edited in any other place than its
/// comments is refused: what it lacks would be missed in the appliance only.
Result<Lock> parse_lock(std::string_view text, const std::string& name);

/// parse_lock of a file of at most 16 MiB.
Result<Lock> load_lock(const std::filesystem::path& path);

/// Writes format_lock(lock), so that the file is old or new, never half.
Status save_lock(const std::filesystem::path& path, const Lock& lock);

}  // namespace mailstead::lock
