// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mailstead {

/// The whole file. Errors: missing, not regular, unreadable, or larger than `limit` bytes.
Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit = 1ull << 30);

/// Writes through a temporary file in the same folder, fsync and rename, so that the file is old or new,
/// never half. `mode` is exact, whatever the umask. A symbolic link stays: the file is written that it leads
/// to.
Status write_file(const std::filesystem::path& path, std::string_view data, unsigned mode = 0644);

/// Creates the folder and its parents; existing ones are kept as they are.
Status make_directories(const std::filesystem::path& path);

/// An open file descriptor, closed in the destructor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  int release();
  void reset();
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Writes all of `data`, however often a signal interrupts it. False: errno says why.
bool write_all(int fd, std::string_view data);

/// Opens /dev/null as whichever of the descriptors 0 to 2 is closed. To be called before anything is opened:
/// the next file or pipe would take the place of standard output, and what is printed would end up in it.
/// It is for reading only, so that a result that nobody can get still fails to be written.
void open_standard_streams();

/// A folder with a unique name below `parent` (the system's temporary folder if empty), removed with all it
/// holds.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> create(const std::filesystem::path& parent = {});
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// Where downloads and prepared parts are kept: $MAILSTEAD_CACHE, else $XDG_CACHE_HOME/mailstead, else
/// ~/.cache/mailstead. Errors: ErrorKind::io; ErrorKind::usage, another user can write to it or into it.
Result<std::filesystem::path> cache_directory();

/// Where profiles/, rootfs-overlays/ and qemu-tests/ are: $MAILSTEAD_DATA, else where `cmake --install`
/// puts them for this program (../share/mailstead), else the source folder that the program was built from.
Result<std::filesystem::path> data_directory();

/// Bytes that may still be written into `folder`; nothing if its file system does not tell.
std::optional<std::uint64_t> free_space(const std::filesystem::path& folder);

/// Error (ErrorKind::io) if the cache has less than `needed` bytes free at `folder` for `what` ("the packages
/// to fetch"). To be asked before long work; what does not tell has room.
Status require_cache_space(const std::filesystem::path& folder, std::uint64_t needed, std::string_view what);

/// What helps when the disk with the cache is full.
inline constexpr const char* kCacheFull =
    "free some space there, or let MAILSTEAD_CACHE name a folder on another disk";

/// "117 MB", "1.2 GB": decimal units (IEC 80000-13), for people.
std::string human_size(std::uint64_t bytes);

}  // namespace mailstead
