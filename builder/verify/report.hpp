// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailstead::verify {

/// Something that is not as it must be.
struct Finding {
  std::string structure;  ///< "first partition table: header", "squashfs: directory table", "file"
  std::string partition;  ///< its label; empty outside of any
  std::string path;       ///< of the file, if it is one's
  std::optional<std::uint64_t> offset;  ///< bytes from the start of the image
  std::string expected;
  std::string found;
};

/// One thing that was looked at.
struct Check {
  std::string name;     ///< "partition table", "files"
  std::string counted;  ///< what there was to compare ("6,537 files, 287 MB")
  std::vector<Finding> findings;
  std::uint64_t more = 0;  ///< findings beyond those that are listed

  /// Lists the finding, or only counts it when there are many already.
  void add(Finding finding);
};

/// How many findings a check lists.
inline constexpr std::size_t kMostFindings = 50;

/// What was found out about an image.
struct Report {
  std::vector<Check> checks;
  std::vector<std::string> unproved;  ///< what nothing vouches for, in sentences

  bool passed() const;
};

}  // namespace mailstead::verify
