// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/run.hpp"
#include "disk/digest.hpp"
#include "disk/fat.hpp"

namespace mailstead::update {
namespace {

using disk::Disk;
using disk::Extent;

/// Parts begin and end at such places: machines read and write disks past their caches.
constexpr std::uint64_t kBlock = 4096;
/// Files below this are not worth a part of their own.
constexpr std::uint64_t kLarge = 1u << 20;
/// How long a manifest is good for, seconds: it may take as long to send an image over a slow line.
constexpr std::int64_t kGoodFor = std::int64_t{24} * 60 * 60;

/// A partition without files that a machine has already is sent in pieces, so that an update which breaks off
/// goes on with the next one.
std::vector<std::uint64_t> cuts_of(Extent partition) {
  constexpr std::uint64_t kPiece = 16u << 20;
  std::vector<std::uint64_t> cuts;
  for (std::uint64_t at = partition.start + kPiece; at < partition.end(); at += kPiece) cuts.push_back(at);
  return cuts;
}

/// Where large files of a boot partition begin and end. One that cannot be read is sent as one part.
std::vector<std::uint64_t> cuts_of_boot(const Disk& image, Extent partition) {
  std::vector<std::uint64_t> cuts;
  const auto volume = disk::read_any_fat(image, partition);
  if (!volume) return cuts;
  for (const disk::FatEntry& entry : volume->entries)
    for (const Extent& extent : entry.extents)
      if (extent.size >= kLarge) {
        cuts.push_back(extent.start / kBlock * kBlock);
        cuts.push_back((extent.end() + kBlock - 1) / kBlock * kBlock);
      }
  return cuts;
}

Status add_parts(const Disk& image, const std::string& name, Extent partition,
                 std::vector<std::uint64_t> cuts, Manifest& manifest) {
  cuts.push_back(partition.end());
  std::ranges::sort(cuts);
  std::uint64_t at = partition.start;
  for (const std::uint64_t cut : cuts) {
    const std::uint64_t end = std::min(cut, partition.end());
    if (end <= at) continue;
    TRY(const disk::Measured measured, disk::measure(image, {at, end - at}));
    const std::uint64_t offset = at - partition.start;
    if (measured.used > 0) manifest.parts.push_back({name, offset, {at, measured.used}, measured.sha256});
    if (at + measured.used < end)
      manifest.parts.push_back(
          {name, offset + measured.used, {at + measured.used, end - at - measured.used}, ""});
    at = end;
  }
  return ok();
}

}  // namespace

Result<Manifest> make_manifest(const Disk& image, const ProvedImage& proved, const image::BaseRecord& base,
                               std::int64_t now, Reporter& reporter) {
  Manifest manifest;
  manifest.hostname = proved.hostname;
  manifest.profile = base.profile;
  manifest.root_hash = proved.root_hash;
  manifest.serial = now;
  manifest.not_after = now + kGoodFor;
  manifest.archive_time = base.archive_time;
  manifest.state_format = base.state_format;
  const auto activity = reporter.start("Measuring the image");
  // The partition by which a slot is started comes last.
  const image::SlotPartitions& slot = image::kSlots[0];
  for (const auto& [name, number] :
       {std::pair{"usr", slot.usr}, std::pair{"root", slot.root}, std::pair{"boot", slot.boot}}) {
    const image::Partition& partition = image::partition_of(proved.partitions, number);
    const Extent extent{partition.start, partition.size};
    manifest.sizes.emplace_back(name, partition.size);
    CHECK_OK(add_parts(image, name, extent,
                       number == slot.boot ? cuts_of_boot(image, extent) : cuts_of(extent), manifest));
  }
  activity->set_result(fmt::format("{} parts", manifest.parts.size()));
  return manifest;
}

std::string to_text(const Manifest& manifest) {
  std::string text = fmt::format(
      "site {}\nprofile {}\nroot-hash {}\nserial {}\nnot-after {}\narchive-time {}\nstate-format {}\n"
      "allow-older {}\n",
      manifest.hostname, manifest.profile, manifest.root_hash, manifest.serial, manifest.not_after,
      manifest.archive_time, manifest.state_format, manifest.allow_older ? "yes" : "no");
  for (const auto& [name, size] : manifest.sizes) text += fmt::format("{}-size {}\n", name, size);
  for (const ManifestPart& part : manifest.parts)
    text += fmt::format("part {} {} {} {}\n", part.partition, part.offset, part.from.size,
                        part.sha256.empty() ? "zeros" : part.sha256);
  return text;
}

Result<std::string> sign(const std::string& text, const std::filesystem::path& private_key) {
  Command command;
  command.argv = {"ssh-keygen", "-q", "-Y", "sign", "-n", "mailstead-update", "-f", private_key.string()};
  command.input = text;
  command.timeout = std::chrono::seconds(60);
  TRY(const CommandOutput done, run_any_status(command));
  if (done.exit_status == 0) return done.out;
  std::string reason = done.err.substr(0, done.err.find('\n'));
  return fail(ErrorKind::usage,
              fmt::format("cannot sign with the key of updates {}: {}", private_key.string(), reason),
              "it must be the file that `mailstead keys` made, readable by you alone");
}

}  // namespace mailstead::update
