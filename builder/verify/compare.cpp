// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "disk/gpt.hpp"
#include "image/boot_state.hpp"

namespace mailstead::verify {
namespace {

using disk::Disk;
using disk::Extent;
using disk::kSectorSize;

constexpr std::uint64_t kStep = 1u << 20;

bool same_place(const Place& a, const Place& b) {
  return a.structure == b.structure && a.partition == b.partition && a.path == b.path;
}

/// Which steps of the disk hold data in one of the two: elsewhere both are zero.
Status mark_data(const Disk& disk, std::uint64_t end, std::vector<bool>& steps) {
  return disk.stream_data({0, end}, [&](std::uint64_t offset, std::string_view block) {
    for (std::uint64_t step = offset / kStep; step <= (offset + block.size() - 1) / kStep; ++step)
      if (step < steps.size()) steps[step] = true;
    return ok();
  });
}

/// Where a machine keeps which slot it starts, if both disks have such a state there: it may be another one.
Result<std::optional<Extent>> boot_states(const Disk& image, const Disk& reference,
                                          const Contents& expected) {
  TRY(const auto partitions, image::place_partitions(expected.layout, ""));
  const Extent place{image::boot_state_place(image::partition_of(partitions, image::kEspNumber)),
                     image::kBootStateSize};
  for (const Disk* disk : {&image, &reference}) {
    TRY(const std::string block, disk->read(place.start, place.size));
    if (!image::read_boot_state(block)) return std::optional<Extent>();
  }
  return std::optional(place);
}

}  // namespace

std::string hexadecimal(std::string_view bytes) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (const char c : bytes.substr(0, kShown))
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(c));
  if (bytes.size() > kShown) text += fmt::format(" … ({} bytes)", bytes.size());
  return text;
}

void add_differences(std::uint64_t offset, std::string_view expected, std::string_view found,
                     const Places& places, Check& check) {
  const auto differs = [&](std::size_t at) { return expected[at] != found[at]; };
  for (std::size_t at = 0; at < expected.size(); ++at) {
    // Most of it is the same, and memcmp(3) is faster than we are.
    if (at % kSectorSize == 0 && expected.substr(at, kSectorSize) == found.substr(at, kSectorSize)) {
      at += kSectorSize - 1;
      continue;
    }
    if (!differs(at)) continue;
    const Place& place = places.at(offset + at);
    std::size_t end = at + 1;
    for (std::size_t next = end; next < expected.size() && next - end < kSectorSize; ++next)
      if (differs(next) && same_place(place, places.at(offset + next))) end = next + 1;
    check.add({place.structure, place.partition, place.path, offset + at,
               hexadecimal(expected.substr(at, end - at)), hexadecimal(found.substr(at, end - at))});
    at = end - 1;
  }
}

void check_part(const image::PublicPart& recorded, std::uint64_t size, const std::string& sha256,
                Finding finding, Check& check) {
  if (size == recorded.size && sha256 == recorded.sha256) return;
  finding.expected = fmt::format("{} bytes, SHA-256 {}", recorded.size, recorded.sha256);
  finding.found = fmt::format("{} bytes, SHA-256 {}", size, sha256);
  check.add(std::move(finding));
}

Status expect_empty(const Disk& disk, Extent extent, const Places& places, Check& check) {
  return disk.find_data(extent, [&](Extent run) -> Status {
    if (check.findings.size() >= kMostFindings) {
      ++check.more;
      return ok();
    }
    TRY(const std::string bytes, disk.read(run.start, std::min<std::uint64_t>(run.size, 64)));
    const Place& place = places.at(run.start);
    check.add({place.structure, place.partition, place.path, run.start, "zeros",
               run.size > bytes.size() ? fmt::format("{} bytes of other", run.size) : hexadecimal(bytes)});
    return ok();
  });
}

Result<Check> compare_disks(const Disk& image, const Contents& contents, const Disk& reference,
                            const Contents& expected, const Places& places, Reporter& reporter) {
  Check check{"every byte", {}, {}, 0};
  if (contents.end != expected.end) {
    check.add({"size of the image",
               {},
               {},
               {},
               fmt::format("{} bytes", expected.end),
               fmt::format("{} bytes", contents.end)});
    return check;
  }
  const bool whole =
      image.size() == reference.size() && contents.is_image(image) && expected.is_image(reference);
  const std::uint64_t table = disk::kTableSectors * kSectorSize;
  std::vector<Extent> extents{{0, image.size()}};
  if (!whole) {
    extents = {{0, disk::kMasterBootCodeSize}, {table, contents.end - table}};
    TRY(const auto state, boot_states(image, reference, expected));
    if (state) {
      extents.back().size = state->start - table;
      extents.push_back({state->end(), contents.end - state->end()});
    }
  }
  if (!whole) CHECK_OK(check_table(image, contents.as_changed(expected.table_alone()), check));
  const std::uint64_t end = extents.back().end();
  const auto activity = reporter.start("Comparing every byte", end, Reporter::Unit::bytes);
  std::vector<bool> steps((end + kStep - 1) / kStep, false);
  CHECK_OK(mark_data(image, end, steps));
  CHECK_OK(mark_data(reference, end, steps));
  std::uint64_t compared = 0;
  for (const Extent& extent : extents) {
    for (std::uint64_t at = extent.start; at < extent.end();) {
      const std::uint64_t count = std::min(kStep - at % kStep, extent.end() - at);
      if (steps[at / kStep]) {
        TRY(const std::string known, reference.read(at, count));
        TRY(const std::string found, image.read(at, count));
        if (known != found) add_differences(at, known, found, places, check);
        compared += count;
      }
      activity->advance(count);
      at += count;
    }
  }
  check.counted = fmt::format("{}, {} of it not empty", human_size(end), human_size(compared));
  activity->set_result(check.counted);
  return check;
}

}  // namespace mailstead::verify
