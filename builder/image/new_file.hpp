// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "base/files.hpp"
#include "base/result.hpp"

namespace mailstead::image {

/// A file that is being written and has no name yet, so that nothing is left of it even if we are killed.
/// Where a file system has no such files (NFS, overlayfs of older kernels), it has a temporary one and is
/// removed unless it is kept.
class NewFile {
 public:
  /// An empty file in the folder of `out`, for its owner only. Errors: ErrorKind::io.
  static Result<NewFile> create(const std::filesystem::path& out);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  int fd() const { return file_.get(); }
  /// By which another program can open it.
  const std::string& path() const { return path_; }

  /// Makes it durable and names it `out`, instead of a file that has the name. It stays readable by its owner
  /// only. Errors: ErrorKind::io.
  Status keep(const std::filesystem::path& out);

 private:
  NewFile(std::string path, bool named, FileDescriptor file)
      : path_(std::move(path)), named_(named), file_(std::move(file)) {}
  bool give_name(const std::filesystem::path& out);

  std::string path_;
  bool named_;
  FileDescriptor file_;
};

}  // namespace mailstead::image
