// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mailstead::inspect {

/// A piece of a disk to draw.
struct Segment {
  std::string name;        ///< written below it as far as there is room; empty for room between partitions
  std::uint64_t size = 0;  ///< bytes
  std::uint64_t used = 0;  ///< bytes, at most `size`
};

/// Draws the pieces of a disk to scale, `width` columns wide: a line like "|#|##...|.|", in which a partition
/// has as many columns as it has of the disk (one at least) and as many '#' as are in use, and a line of
/// names below. Both without line ends. `width` is raised to what the pieces need at least.
struct Scale {
  std::string bar;
  std::string names;
};
Scale draw_to_scale(const std::vector<Segment>& segments, std::size_t width);

}  // namespace mailstead::inspect
