// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/chain.hpp"

#include <fmt/format.h>

#include <vector>

#include "verify/machine_disk.hpp"

namespace mailstead::verify {
namespace {

Result<std::vector<SlotFacts>> follow(const disk::Disk& disk, const Contents& contents, const Places& places,
                                      const std::string& root_hash, Report& report) {
  TRY(const auto partitions, image::place_partitions(contents.layout, ""));
  TRY(const bool second, is_filled(disk, partitions, 1));
  TRY(const image::BootState state, read_boot_state(disk, partitions));
  const std::size_t first = second && state.next() == 'b' ? 1 : 0;
  std::vector<SlotFacts> proved;
  std::vector<disk::Extent> unused;
  for (const std::size_t slot : {std::size_t{0}, std::size_t{1}}) {
    TRY(const bool filled, is_filled(disk, partitions, slot));
    if (!filled && slot != first) {
      for (const auto number :
           {image::kSlots[slot].boot, image::kSlots[slot].usr, image::kSlots[slot].root}) {
        const image::Partition& here = image::partition_of(partitions, number);
        unused.push_back({here.start, here.size});
      }
      continue;
    }
    const bool trusted = slot == first;
    TRY(SlotFacts facts, check_slot(disk, partitions, slot, places, trusted ? root_hash : "", report));
    if (!trusted && !root_hash.empty())
      report.unproved.push_back(
          fmt::format("that the root hash of slot {}, which is started only if the other cannot be, is one "
                      "that `build` printed",
                      slot == 0 ? "A" : "B"));
    unused.insert(unused.end(), facts.unused.begin(), facts.unused.end());
    if (facts.record) proved.push_back(std::move(facts));
  }
  if (proved.empty())
    report.unproved.emplace_back(
        "partition table, /usr, boot files: what vouches for them lies in the root file system, which "
        "could not be read");
  else
    CHECK_OK(check_machine_disk(disk, contents, proved, places, report));
  CHECK_OK(check_empty(disk, contents, unused, places, report));
  return proved;
}

}  // namespace

Result<std::vector<SlotFacts>> check_chain(const disk::Disk& disk, const Contents& contents,
                                           const Places& places, const std::string& root_hash,
                                           Reporter& reporter, Report& report) {
  const auto activity = reporter.start("Following the root hash");
  TRY(std::vector<SlotFacts> proved, follow(disk, contents, places, root_hash, report));
  activity->set_result(fmt::format("{} checks", report.checks.size()));
  return proved;
}

}  // namespace mailstead::verify
