// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/update.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/interrupt.hpp"
#include "base/printable.hpp"
#include "base/program.hpp"
#include "disk/gpt.hpp"
#include "image/image.hpp"
#include "update/found.hpp"
#include "verify/chain.hpp"
#include "verify/machine_disk.hpp"
#include "verify/places.hpp"
#include "verify/slot.hpp"

namespace mailstead::update {
namespace {

using disk::Disk;
using disk::Extent;
using image::kMebibyte;
using image::Partition;
using image::slot_letter;

constexpr std::uint64_t kPage = 4096;

tl::unexpected<Error> refuse(std::string message, std::string hint = {}) {
  return fail(ErrorKind::usage, std::move(message), std::move(hint));
}

/// What a report found first, a line each.
std::vector<std::string> first_findings(const verify::Report& report) {
  constexpr std::size_t kMost = 5;
  std::vector<std::string> lines;
  for (const verify::Check& check : report.checks)
    for (const verify::Finding& finding : check.findings)
      if (lines.size() < kMost)
        lines.push_back(printable(fmt::format("{}: {}: expected {}, found {}", check.name, finding.structure,
                                              finding.expected, finding.found)));
  return lines;
}

Extent extent_of(const Partition& partition) {
  return {partition.start, partition.size};
}

/// A slot of a disk, followed by its root hash: nothing if it is not sound.
Result<std::optional<verify::SlotFacts>> sound_slot(const Disk& disk, const verify::Contents& contents,
                                                    char slot) {
  const std::size_t index = slot == 'a' ? 0 : 1;
  TRY(const auto partitions, image::place_partitions(contents.layout, ""));
  TRY(const bool filled, verify::is_filled(disk, partitions, index));
  if (!filled) return std::optional<verify::SlotFacts>();
  verify::Report report;
  TRY(verify::SlotFacts facts,
      verify::check_slot(disk, partitions, index, verify::Places::of(disk, partitions, contents.table.end),
                         "", report));
  if (!report.passed() || !facts.record) return std::optional<verify::SlotFacts>();
  return std::optional(std::move(facts));
}

/// Whether the table names the partitions of the image by the same ids, in the same places.
bool same_partitions(const disk::Table& here, const ProvedImage& proved) {
  return std::all_of(proved.partitions.begin(), proved.partitions.end(), [&](const Partition& partition) {
    const auto entry = [&](const disk::Table& table) {
      return std::string_view(table.entries)
          .substr(static_cast<std::size_t>(partition.number - 1) * disk::kTableEntrySize,
                  disk::kTableEntrySize);
    };
    return entry(here) == entry(proved.contents.table);
  });
}

Result<image::BootState> state_on(const Disk& disk, const Partition& esp, bool& damaged) {
  TRY(const std::string block, disk.read(image::boot_state_place(esp), image::kBootStateSize));
  const auto state = image::read_boot_state(block);
  damaged = !state;
  return state.value_or(image::BootState());
}

/// No slot of a disk that is to be written whole has a sound image, but for the one that is written.
Status require_nothing_else(const ProvedImage& proved, const Disk& target, const verify::Contents& contents) {
  const std::string name = target.path().string();
  for (const char slot : {'a', 'b'}) {
    TRY(const auto sound, sound_slot(target, contents, slot));
    if (!sound || sound->root.root_hash == proved.root_hash) continue;
    return refuse(fmt::format("the EFI system partition of {} does not match its record, and slot {} has an "
                              "image that would be lost",
                              name, slot_letter(slot)),
                  fmt::format("was it mounted, or changed by the firmware? `{}` shows what differs; "
                              "docs/change.md tells how to write the whole image by dd",
                              own_command({"verify", name})));
  }
  return ok();
}

/// A disk with the table of this site.
Result<Plan> plan_for_own(const ProvedImage& proved, const Disk& target) {
  Plan plan;
  plan.has_table = true;
  TRY(const verify::Contents contents, verify::read_contents(target));
  plan.has_data = contents.data.has_value();
  TRY(const bool startable, verify::esp_is_recorded(target, proved.partitions));
  if (!startable) {
    // A first writing has ended early, or something else has been written to that partition since.
    CHECK_OK(require_nothing_else(proved, target, contents));
    plan.kind = Kind::whole;
    return plan;
  }
  TRY(plan.before,
      state_on(target, image::partition_of(proved.partitions, image::kEspNumber), plan.state_damaged));
  plan.kind = Kind::slot;
  plan.stays = plan.before.slot;
  TRY(const auto proven, sound_slot(target, contents, plan.stays));
  if (proven) {
    if (proven->root.root_hash == proved.root_hash && !plan.before.on_trial() && !plan.state_damaged)
      plan.kind = Kind::none;
    return plan;
  }
  // The last slot that starts is not written over.
  TRY(const auto other, sound_slot(target, contents, image::other_slot(plan.stays)));
  plan.stays_sound = other.has_value();
  if (other) plan.stays = image::other_slot(plan.stays);
  return plan;
}

/// What is in front of the data on a disk without a table: nothing, or what an interrupted update has left.
Status require_blank(const Disk& image, const Disk& target, bool has_data, Reporter& reporter) {
  const std::string name = target.path().string();
  const auto activity =
      reporter.start("Looking for anything on the disk", image.size(), Reporter::Unit::bytes);
  std::uint64_t looked = 0;
  CHECK_OK(target.find_data({0, image.size()}, [&](Extent run) -> Status {
    for (std::uint64_t at = run.start / kPage * kPage; at < run.end(); at += kMebibyte) {
      const std::uint64_t size =
          std::min(kMebibyte, std::min(image.size(), (run.end() + kPage - 1) / kPage * kPage) - at);
      TRY(const std::string found, target.read(at, size));
      TRY(const std::string expected, image.read(at, size));
      for (std::size_t i = 0; i < size; ++i) {
        if (found[i] == '\0' || found[i] == expected[i]) continue;
        TRY(const std::string what, describe_contents(target));
        if (has_data)
          return refuse(fmt::format("{} has no partition table of the site, but its data, and something at "
                                    "byte {} that is not of the image",
                                    name, at + i),
                        "do not clear the disk: write the image by dd as docs/change.md tells, which leaves "
                        "the data alone");
        return refuse(
            fmt::format("{} holds {}", name,
                        what.empty() ? fmt::format("something at byte {}", at + i) : what),
            fmt::format("use an empty disk; to give up all that is on this one: `blkdiscard -f {}`, or "
                        "`wipefs -a {}` and zeros over its first 2 GiB",
                        name, name));
      }
    }
    activity->advance(run.end() - std::min(run.end(), looked));
    looked = run.end();
    return ok();
  }));
  activity->set_result("nothing");
  return ok();
}

Result<Plan> plan_for_new(const Disk& image, const ProvedImage& proved, const Disk& target,
                          Reporter& reporter) {
  const std::string name = target.path().string();
  constexpr std::uint64_t kSmallest = image::kDataStart + 128 * kMebibyte;
  if (target.size() < kSmallest)
    return refuse(fmt::format("{} is too small: it has {}, and the data begin at 2 GiB", name,
                              human_size(target.size())),
                  "give it at least 4 GiB");
  Plan plan;
  plan.kind = Kind::whole;
  TRY(const DataSpace data, look_at_data(target, image::data_uuid(proved.hostname)));
  if (data == DataSpace::other)
    return refuse(fmt::format("{} holds something at 2 GiB that is not the data of {}", name,
                              printable(proved.hostname)),
                  "use another disk, or the image of the site whose data these are");
  plan.has_data = data == DataSpace::own;
  CHECK_OK(require_blank(image, target, plan.has_data, reporter));
  return plan;
}

/// Brings a part of the disk to the bytes of a part of the image.
class Copy {
 public:
  Copy(const Disk& image, const Disk& target, Writer& writer, Reporter::Activity& activity, Written& written)
      : image_(image), target_(target), writer_(writer), activity_(activity), written_(written) {}

  /// Compares blocks of 1 MiB, and writes of those that differ the pages that do.
  Status bring(Extent from, std::uint64_t to) {
    return image_.stream(from, [&](std::uint64_t offset, std::string_view block) -> Status {
      const std::uint64_t place = to + (offset - from.start);
      TRY(const std::string there, target_.read(place, block.size()));
      written_.compared += block.size();
      activity_.advance(block.size());
      if (there == block) return ok();
      for (std::size_t at = 0; at < block.size();) {
        std::size_t end = at;
        while (end < block.size() && block.substr(end, kPage) != std::string_view(there).substr(end, kPage))
          end = std::min<std::size_t>(end + kPage, block.size());
        if (end > at) {
          CHECK_OK(writer_.write(place + at, block.substr(at, end - at)));
          written_.written += end - at;
        }
        at = end + kPage;
      }
      return ok();
    });
  }

  Status compare(Extent from, std::uint64_t to) {
    return image_.stream(from, [&](std::uint64_t offset, std::string_view block) -> Status {
      const std::uint64_t place = to + (offset - from.start);
      TRY(const std::string there, target_.read(place, block.size()));
      activity_.advance(block.size());
      if (there == block) return ok();
      return fail(
          ErrorKind::io,
          fmt::format("{} does not keep what is written to it (at byte {})", target_.path().string(), place),
          "another program writes to it, or it is defective");
    });
  }

 private:
  const Disk& image_;
  const Disk& target_;
  Writer& writer_;
  Reporter::Activity& activity_;
  Written& written_;
};

struct Part {
  Extent from;
  std::uint64_t to = 0;
};

/// The partitions of a slot; the one by which it is started comes last.
std::vector<Part> slot_parts(const ProvedImage& proved, char slot) {
  const image::SlotPartitions& from = image::kSlots[0];
  const image::SlotPartitions& to = image::kSlots[slot == 'a' ? 0 : 1];
  std::vector<Part> parts;
  for (const auto& [source, place] :
       {std::pair{from.usr, to.usr}, {from.root, to.root}, {from.boot, to.boot}})
    parts.push_back({extent_of(image::partition_of(proved.partitions, source)),
                     image::partition_of(proved.partitions, place).start});
  return parts;
}

/// All of an image, in three steps with a flush behind each: the table, so that a later update knows the
/// disk; the slots; and what starts them, with the disk's record last.
std::vector<std::vector<Part>> whole_parts(const Disk& image, const ProvedImage& proved, bool has_table) {
  const auto same = [](Extent extent) { return Part{extent, extent.start}; };
  const Partition& esp = image::partition_of(proved.partitions, image::kEspNumber);
  const std::uint64_t esp_end = esp.start + esp.size;
  const std::uint64_t record = image::disk_record_place(esp);
  const std::uint64_t end = proved.contents.end;
  std::vector<Part> table;
  if (!has_table) {
    // The header that makes it a table comes last.
    table = {same({end, image.size() - end}),
             same({2 * disk::kSectorSize, kMebibyte - 2 * disk::kSectorSize}),
             same({0, 2 * disk::kSectorSize})};
  } else {
    table = {same({0, disk::kMasterBootCodeSize})};
  }
  return {std::move(table),
          {same({esp_end, end - esp_end})},
          {same({esp.start, record - esp.start})},
          {same({record, esp_end - record})}};
}

std::uint64_t size_of(const std::vector<Part>& parts) {
  std::uint64_t sum = 0;
  for (const Part& part : parts) sum += part.from.size;
  return sum;
}

Result<Written> write_parts(const std::vector<std::vector<Part>>& steps, const std::string& what,
                            const Disk& image, const Disk& target, Writer& writer, Reporter& reporter) {
  std::uint64_t total = 0;
  for (const auto& step : steps) total += size_of(step);
  Written written;
  const auto activity = reporter.start(what, 2 * total, Reporter::Unit::bytes);
  Copy copy(image, target, writer, *activity, written);
  for (const auto& step : steps) {
    for (const Part& part : step) CHECK_OK(copy.bring(part.from, part.to));
    CHECK_OK(writer.flush());
  }
  for (const auto& step : steps)
    for (const Part& part : step) CHECK_OK(copy.compare(part.from, part.to));
  activity->set_result(fmt::format("{} of {} differed", human_size(written.written), human_size(total)));
  return written;
}

}  // namespace

Result<ProvedImage> prove_image(const Disk& image, Reporter& reporter) {
  const std::string name = image.path().string();
  CHECK_OK(image.check_size());
  ProvedImage proved;
  TRY(proved.contents, verify::read_contents(image));
  if (!proved.contents.is_image(image))
    return refuse(fmt::format("{} is not just an image: it is, or was, the disk of a machine", name),
                  fmt::format("name the file that `{}` wrote", own_command({"build"})));
  TRY(const auto places, image::place_partitions(proved.contents.layout, ""));
  verify::Report report;
  TRY(const auto slots, verify::check_chain(image, proved.contents,
                                            verify::Places::of(image, places, proved.contents.table.end), "",
                                            reporter, report));
  if (!report.passed() || slots.size() != 1 || slots.front().slot != 0)
    return fail(Error{ErrorKind::integrity,
                      fmt::format("{} is not what it should be; nothing has been written", name),
                      {},
                      fmt::format("`{}` shows all of it; build it again", own_command({"verify", name})),
                      first_findings(report),
                      {}});
  proved.hostname = slots.front().hostname;
  proved.root_hash = slots.front().root.root_hash;
  TRY(proved.partitions, image::place_partitions(proved.contents.layout, proved.hostname));
  return proved;
}

Result<Plan> plan_update(const Disk& image, const ProvedImage& proved, const Disk& target,
                         Reporter& reporter) {
  const std::string name = target.path().string();
  const auto table = disk::read_table(target);
  if (!table) {
    if (table.error().kind == ErrorKind::io) return fail(table.error());
    return plan_for_new(image, proved, target, reporter);
  }
  if (table->disk_guid != proved.contents.table.disk_guid) {
    TRY(const std::string what, describe_table(target));
    return refuse(fmt::format("{} is not a disk of {}: it holds {}", name, printable(proved.hostname), what),
                  "name the disk of this site, or an empty one");
  }
  if (!same_partitions(*table, proved))
    return refuse(
        fmt::format("{} is a disk of {} whose partitions have other sizes than those of {}", name,
                    printable(proved.hostname), image.path().string()),
        "build with the profile that the disk was made with, or write the image over the whole disk: the "
        "mail stays, see docs/change.md");
  const auto activity = reporter.start("Looking at the disk");
  TRY(const Plan plan, plan_for_own(proved, target));
  activity->set_result("");
  return plan;
}

Result<Written> carry_out(const Plan& plan, const Disk& image, const ProvedImage& proved, const Disk& target,
                          Writer& writer, Reporter& reporter) {
  if (plan.kind == Kind::none) return Written();
  if (plan.kind == Kind::whole)
    return write_parts(whole_parts(image, proved, plan.has_table), "Writing the image", image, target, writer,
                       reporter);
  const Partition& esp = image::partition_of(proved.partitions, image::kEspNumber);
  // A slot that is being written is never started.
  const image::BootState disarmed{plan.stays, {}, 0};
  if (plan.state_damaged || disarmed != plan.before) CHECK_OK(write_state(target, esp, disarmed, writer));
  TRY(const Written written,
      write_parts({slot_parts(proved, plan.slot())}, fmt::format("Writing slot {}", slot_letter(plan.slot())),
                  image, target, writer, reporter));
  CHECK_OK(write_state(target, esp, image::armed(disarmed, plan.slot()), writer));
  return written;
}

Result<WayBack> plan_way_back(const Disk& target, Reporter& reporter) {
  const std::string name = target.path().string();
  const auto activity = reporter.start("Looking at the disk");
  const auto contents = verify::read_contents(target);
  if (!contents) {
    if (contents.error().kind == ErrorKind::io) return fail(contents.error());
    return refuse(fmt::format("{} is not the disk of an appliance: {}", name, contents.error().message));
  }
  TRY(const auto partitions, image::place_partitions(contents->layout, ""));
  TRY(const bool startable, verify::esp_is_recorded(target, partitions));
  if (!startable)
    return refuse(fmt::format("the EFI system partition of {} does not match its record", name),
                  fmt::format("was it mounted, or changed by the firmware? `{}` shows what differs",
                              own_command({"verify", name})));
  WayBack way;
  way.esp = image::partition_of(partitions, image::kEspNumber);
  bool damaged = false;
  TRY(way.before, state_on(target, way.esp, damaged));
  way.after = image::gone_back(way.before);
  const char next = way.after.next();
  TRY(const auto slot, sound_slot(target, *contents, next));
  if (!slot) {
    TRY(const bool filled, verify::is_filled(target, partitions, next == 'a' ? 0 : 1));
    return refuse(fmt::format("slot {} of {} is {}: there is nothing to go back to", slot_letter(next), name,
                              filled ? "damaged" : "empty"),
                  fmt::format("write an image: `{}`", own_command({"update", "IMAGE", "--disk", name})));
  }
  way.hostname = slot->hostname;
  way.root_hash = slot->root.root_hash;
  const disk::Table own = verify::table_of(partitions, image::disk_uuid(way.hostname), contents->table.end);
  if (own.disk_guid != contents->table.disk_guid)
    return refuse(fmt::format("slot {} of {} is that of another site, {}", slot_letter(next), name,
                              printable(way.hostname)));
  activity->set_result(image::describe(way.before));
  return way;
}

Status write_state(const Disk& target, const Partition& esp, const image::BootState& state, Writer& writer) {
  const std::uint64_t place = image::boot_state_place(esp);
  TRY(const std::string before, target.read(place, image::kBootStateSize));
  const std::string after = image::boot_state_block(state);
  // All values are in the first sector.
  const bool sector = image::read_boot_state(before).has_value();
  CHECK_OK(writer.write(place, sector ? std::string_view(after).substr(0, disk::kSectorSize) : after));
  CHECK_OK(writer.flush());
  TRY(const std::string kept, target.read(place, image::kBootStateSize));
  if (kept == after) return ok();
  return fail(
      ErrorKind::io,
      fmt::format("{} does not keep what is written to it (at byte {})", target.path().string(), place),
      "it is defective: use another disk");
}

}  // namespace mailstead::update
