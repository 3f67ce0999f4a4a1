// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "disk/disk.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"

namespace mailstead::test {

/// A file in a folder of its own, whose bytes can be changed.
class DiskFile {
 public:
  explicit DiskFile(std::string_view bytes) { write(bytes); }
  explicit DiskFile(std::uint64_t size) {
    write("");
    std::filesystem::resize_file(path(), size);
  }
  std::filesystem::path path() const { return folder_.path() / "disk"; }
  std::string bytes() const { return read_file(path()).value(); }
  void write(std::string_view bytes) const { REQUIRE(write_file(path(), bytes)); }
  /// Changes these bytes only: holes stay holes.
  void write_at(std::uint64_t offset, std::string_view bytes) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(file.flush());
  }
  void flip(std::uint64_t offset) const {
    std::string changed = bytes();
    changed.at(offset) ^= 1;
    write(changed);
  }
  disk::Disk open() const { return disk::Disk::open(path()).value(); }

 private:
  TemporaryDirectory folder_ = TemporaryDirectory::create().value();
};

}  // namespace mailstead::test
