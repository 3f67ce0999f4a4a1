// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/files.hpp"
#include "base/result.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::rootfs {

/// An unlinked temporary file that holds the contents of unpacked packages. It goes away with the last
/// Content that refers to it. Any number of writers may fill it at the same time.
class Spool {
 public:
  /// Opens a spool in `folder` (the system's temporary folder if empty). Errors: the folder cannot be
  /// written.
  static Result<Spool> create(const std::filesystem::path& folder = {});

  Spool(Spool&& other) noexcept
      : file_(std::move(other.file_)), folder_(std::move(other.folder_)), end_(other.end_.load()) {}
  Spool& operator=(Spool&&) = delete;

 private:
  friend class SpoolWriter;
  Spool(FileDescriptor file, std::filesystem::path folder)
      : file_(std::make_shared<const FileDescriptor>(std::move(file))), folder_(std::move(folder)) {}

  std::shared_ptr<const FileDescriptor> file_;
  std::filesystem::path folder_;       ///< for messages
  std::atomic<std::uint64_t> end_{0};  ///< where the next extent starts
};

/// Writes files one after the other into extents of a spool of its own, in big blocks. Not thread-safe: one a
/// thread.
class SpoolWriter {
 public:
  explicit SpoolWriter(Spool& spool) : spool_(spool) {}

  /// Starts a file of exactly `size` bytes, which write() has to deliver before the next begin().
  Status begin(std::uint64_t size);
  Status write(const char* data, std::size_t size);
  /// The file started last. It can be read once flush() has been called.
  Content content() const;
  Status flush();

 private:
  Spool& spool_;
  std::vector<char> buffer_;  // what is written at `buffer_start_` next
  std::uint64_t buffer_start_ = 0;
  std::uint64_t extent_end_ = 0;
  std::uint64_t file_start_ = 0;
  std::uint64_t file_size_ = 0;
};

}  // namespace mailstead::rootfs
