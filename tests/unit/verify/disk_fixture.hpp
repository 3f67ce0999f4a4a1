// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"
#include "verify/disk.hpp"

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
  void flip(std::uint64_t offset) const {
    std::string changed = bytes();
    changed.at(offset) ^= 1;
    write(changed);
  }
  verify::Disk open() const { return verify::Disk::open(path()).value(); }

 private:
  TemporaryDirectory folder_ = TemporaryDirectory::create().value();
};

}  // namespace mailstead::test
