// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "base/result.hpp"
#include "inspect/partition_table.hpp"

namespace mailstead::inspect {

/// What of a partition is in use: from its start to the last block of 4096 bytes that is not zero.
struct Measured {
  std::uint64_t used = 0;  ///< bytes, 0 if it is empty
  std::string sha256;      ///< of these bytes
};

/// A disk image, open for reading. Everything in it is taken as hostile. Thread-safe.
class DiskImage {
 public:
  /// Errors: ErrorKind::io; those of read_partition_table.
  static Result<DiskImage> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  const std::vector<Partition>& partitions() const { return partitions_; }
  /// The first partition called `label`. Errors: ErrorKind::integrity if there is none.
  Result<Partition> partition(std::string_view label) const;

  /// Reads the partition through; holes cost nothing.
  Result<Measured> measure(const Partition& partition) const;

  /// SHA-256 of `size` bytes from `offset` on. Errors: they are not all on the disk.
  Result<std::string> sha256(std::uint64_t offset, std::uint64_t size) const;

  /// These bytes. Errors: they are not all on the disk, or more than 64 MiB.
  Result<std::string> read(std::uint64_t offset, std::uint64_t size) const;

  /// Copies these bytes to the new file `to`; zeros become holes.
  Status copy(std::uint64_t offset, std::uint64_t size, const std::filesystem::path& to) const;

 private:
  DiskImage() = default;
  Status read_at(char* data, std::size_t size, std::uint64_t offset) const;
  Status check_range(std::uint64_t offset, std::uint64_t size) const;
  /// Calls `take` with each block from `offset` on that may be other than zero, and its place.
  template <class Take>
  Status each_block(std::uint64_t offset, std::uint64_t size, Take take) const;

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
  std::vector<Partition> partitions_;
};

}  // namespace mailstead::inspect
