// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/files.hpp"
#include "base/result.hpp"

namespace mailstead::update {

/// What changes a disk. Tests put one in its place that fails.
class Writer {
 public:
  virtual ~Writer() = default;
  /// Errors: ErrorKind::io.
  virtual Status write(std::uint64_t offset, std::string_view bytes) = 0;
  /// Everything written before is on the medium when this returns, and what is read next comes from there.
  virtual Status flush() = 0;
};

/// A disk, or the file of a virtual machine's disk, that nobody else uses.
class Target : public Writer {
 public:
  /// Opens it for reading and writing. A link is followed to a device, never to a file: who can put a link
  /// there would choose what is written. Errors (ErrorKind::usage): it is no whole disk; a virtual disk in
  /// another format than raw; in use, as the disk of the running system is; read-only; with sectors of
  /// another size than 512 bytes. ErrorKind::io.
  static Result<Target> open(const std::filesystem::path& name);

  const std::filesystem::path& path() const { return path_; }
  /// Whether `other` leads to the same bytes.
  bool is(const std::filesystem::path& other) const;

  Status write(std::uint64_t offset, std::string_view bytes) override;
  Status flush() override;

 private:
  Target(std::filesystem::path path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}

  std::filesystem::path path_;
  FileDescriptor file_;
};

}  // namespace mailstead::update
