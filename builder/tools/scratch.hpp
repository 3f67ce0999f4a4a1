// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "base/files.hpp"
#include "base/result.hpp"

namespace mailstead::tools {

/// A folder of its own below a folder of the cache, for work in progress; removed with all it holds. As long
/// as it is in use a file in it is locked (flock(2)), which ends with the process however that ends: so what
/// a killed process or a power cut has left can be told from what others work on.
class ScratchFolder {
 public:
  /// Makes `parent` if it is missing. Errors: ErrorKind::io.
  static Result<ScratchFolder> create(const std::filesystem::path& parent);
  ~ScratchFolder();
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  ScratchFolder(std::filesystem::path path, FileDescriptor lock);
  std::filesystem::path path_;
  FileDescriptor lock_;
};

/// The error of a cache on a file system without flock(2), `reason` an errno.
Error cannot_lock(const std::filesystem::path& folder, int reason);

/// Removes the scratch folders in `parent` that nobody works in any more.
void remove_leftovers(const std::filesystem::path& parent);

/// Says that `mark`, a file in a folder of the cache, has just been of use.
void touch(const std::filesystem::path& mark);

/// Removes those folders in `parent` that have not been used for 30 days, by the time of the file `mark` (a
/// relative path) in each of them.
void remove_unused(const std::filesystem::path& parent, const std::filesystem::path& mark);

}  // namespace mailstead::tools
