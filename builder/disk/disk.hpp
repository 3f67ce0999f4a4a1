// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/files.hpp"
#include "base/result.hpp"

namespace mailstead::disk {

/// Of the disks that our images are for, bytes.
inline constexpr std::uint64_t kSectorSize = 512;

/// A run of bytes.
struct Extent {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
  std::uint64_t end() const { return start + size; }
};

/// What is read into memory at once, bytes at most. A file with a hole costs whoever made it nothing, so the
/// size of the disk bounds no memory. The largest piece of a sound image is the lowest level of a hash tree.
inline constexpr std::uint64_t kMostAtOnce = 64u << 20;

/// What an image has at most, bytes: ten times what the profiles ask for. Larger ones would only have us read
/// holes for hours.
inline constexpr std::uint64_t kMostDisk = std::uint64_t{16} << 30;

/// A disk image, or a disk, opened for reading only. What it says of itself may be hostile. Thread-safe.
class Disk {
 public:
  /// Takes any size: see check_size. Errors: ErrorKind::io.
  static Result<Disk> open(const std::filesystem::path& path);

  std::uint64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

  /// For who reads all of a disk that nobody has started yet. Errors (ErrorKind::integrity): a file of more
  /// than kMostDisk. A device really has the size that it says.
  Status check_size() const;

  /// Exactly `size` bytes. Errors (ErrorKind::integrity): they are not all on the disk, or more than
  /// kMostAtOnce; ErrorKind::io.
  Result<std::string> read(std::uint64_t offset, std::uint64_t size) const;

  /// Hands the bytes of `extent` to `sink` in blocks of up to 1 MiB, in order. Errors: those of read and of
  /// `sink`; ErrorKind::interrupted.
  Status stream(Extent extent,
                const std::function<Status(std::uint64_t offset, std::string_view block)>& sink) const;

  /// Like stream, but holes of the file, blocks of zeros, and zeros at either end of a block are left out.
  Status stream_data(Extent extent,
                     const std::function<Status(std::uint64_t offset, std::string_view block)>& sink) const;

  /// Hands on where bytes other than zero are in `extent`, as runs without a longer gap than a sector.
  Status find_data(Extent extent, const std::function<Status(Extent run)>& sink) const;

  /// Copies `extent` to the new file `to`, which only its owner can read. What stream_data leaves out becomes
  /// holes. Errors: those of stream_data; `to` is there or cannot be written (ErrorKind::io).
  Status copy(Extent extent, const std::filesystem::path& to) const;

 private:
  Disk(std::filesystem::path path, FileDescriptor file, std::uint64_t size, bool regular)
      : path_(std::move(path)), file_(std::move(file)), size_(size), regular_(regular) {}
  Status check_range(std::uint64_t offset, std::uint64_t size) const;
  Status read_into(char* bytes, std::uint64_t offset, std::size_t size) const;

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
  bool regular_ = true;
};

/// Integers as disks have them, little-endian. `offset` and the integer must be within `bytes`.
std::uint64_t little_endian(std::string_view bytes, std::size_t offset, std::size_t size);

}  // namespace mailstead::disk
