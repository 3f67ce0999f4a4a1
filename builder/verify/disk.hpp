// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "base/result.hpp"

namespace mailstead::verify {

/// A run of bytes.
struct Extent {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
  std::uint64_t end() const { return start + size; }
};

/// What is read into memory at once, bytes at most. A file with a hole costs whoever made it nothing, so the
/// size of the disk bounds no memory. The largest piece of a sound image is the lowest level of a hash tree.
inline constexpr std::uint64_t kMostAtOnce = 64u << 20;

/// A disk image, opened for reading only. What it says of itself may be hostile.
class Disk {
 public:
  /// Errors: ErrorKind::io.
  static Result<Disk> open(const std::filesystem::path& path);

  std::uint64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

  /// Exactly `size` bytes. Errors (ErrorKind::integrity): they are not all on the disk, or more than
  /// kMostAtOnce; ErrorKind::io.
  Result<std::string> read(std::uint64_t offset, std::uint64_t size) const;

  /// Hands the bytes of `extent` to `sink` in blocks of up to 1 MiB, in order.
  Status stream(Extent extent,
                const std::function<Status(std::uint64_t offset, std::string_view block)>& sink) const;

  /// Hands on what within `extent` is not a hole of the file: what is left out is zero.
  Status stream_data(Extent extent,
                     const std::function<Status(std::uint64_t offset, std::string_view block)>& sink) const;

  /// Hands on where bytes other than zero are in `extent`, as runs without a longer gap than a sector.
  Status find_data(Extent extent, const std::function<Status(Extent run)>& sink) const;

 private:
  Disk(std::filesystem::path path, FileDescriptor file, std::uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}
  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

/// Integers as disks have them, little-endian. `offset` and the integer must be within `bytes`.
std::uint64_t little_endian(std::string_view bytes, std::size_t offset, std::size_t size);

}  // namespace mailstead::verify
