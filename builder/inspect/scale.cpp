// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/scale.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mailstead::inspect {
namespace {

double total_of(const std::vector<Segment>& segments) {
  return std::accumulate(segments.begin(), segments.end(), 0.0, [](double sum, const Segment& segment) {
    return sum + static_cast<double>(segment.size);
  });
}

/// Columns of each: one, and of the others what it is short of its share, the one that is shortest first.
std::vector<std::size_t> share_columns(const std::vector<Segment>& segments, std::size_t columns) {
  std::vector<std::size_t> shares(segments.size(), 1);
  const double total = std::max(total_of(segments), 1.0);
  const auto missing = [&](std::size_t i) {
    return static_cast<double>(segments[i].size) / total * static_cast<double>(columns) -
           static_cast<double>(shares[i]);
  };
  for (std::size_t left = columns - std::min(columns, segments.size()); left > 0; --left) {
    std::size_t neediest = 0;
    for (std::size_t i = 1; i < shares.size(); ++i) {
      if (missing(i) > missing(neediest)) neediest = i;
    }
    ++shares[neediest];
  }
  return shares;
}

std::string fill_of(const Segment& segment, std::size_t columns) {
  if (segment.name.empty()) return std::string(columns, ' ');
  const double part =
      segment.size == 0 ? 0.0 : static_cast<double>(segment.used) / static_cast<double>(segment.size);
  auto filled = static_cast<std::size_t>(std::lround(part * static_cast<double>(columns)));
  // A little is not nothing.
  if (segment.used > 0) filled = std::max<std::size_t>(filled, 1);
  filled = std::min(filled, columns);
  return std::string(filled, '#') + std::string(columns - filled, '.');
}

}  // namespace

Scale draw_to_scale(const std::vector<Segment>& segments, std::size_t width) {
  if (segments.empty()) return {};
  const std::size_t walls = segments.size() + 1;
  const std::size_t columns = std::max(width, walls + segments.size()) - walls;
  const std::vector<std::size_t> shares = share_columns(segments, columns);
  Scale scale{"|", " "};
  for (std::size_t i = 0; i < segments.size(); ++i) {
    scale.bar += fill_of(segments[i], shares[i]) + "|";
    std::string name = segments[i].name.substr(0, shares[i]);
    name.resize(shares[i] + 1, ' ');
    scale.names += name;
  }
  scale.names.erase(scale.names.find_last_not_of(' ') + 1);
  return scale;
}

}  // namespace mailstead::inspect
