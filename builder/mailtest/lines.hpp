// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace mailstead::mailtest {

/// A line of a dialogue or fragment.
struct Line {
  std::string text;
  /// The value of a parameter stands in it. Such a line ends neither a block nor a here-document: where these
  /// end is written in the fragment itself.
  bool has_value = false;
};

/// The lines of a file, of which those before `next` have been read.
struct Lines {
  std::vector<Line> all;
  std::size_t next = 0;
  bool at_end() const { return next >= all.size(); }
};

}  // namespace mailstead::mailtest
