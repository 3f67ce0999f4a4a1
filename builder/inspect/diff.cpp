// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "crypto/digest.hpp"
#include "disk/digest.hpp"
#include "image/image.hpp"
#include "image/records.hpp"
#include "inspect/report.hpp"
#include "lock/version.hpp"

namespace mailstead::inspect {
namespace {

void add(std::vector<ValueDifference>& differences, const char* what, std::string before, std::string after) {
  if (before != after) differences.push_back({what, std::move(before), std::move(after)});
}

std::vector<ValueDifference> diff_identity(const Appliance& before, const Appliance& after) {
  const image::BaseRecord& old = before.facts.base;
  const image::BaseRecord& now = after.facts.base;
  std::vector<ValueDifference> differences;
  add(differences, "host name", before.hostname, after.hostname);
  add(differences, "base", old.identity, now.identity);
  add(differences, "mailstead", old.mailstead_version, now.mailstead_version);
  add(differences, "profile", old.profile, now.profile);
  add(differences, "suite", old.suite, now.suite);
  add(differences, "archive time", utc_time(old.archive_time), utc_time(now.archive_time));
  return differences;
}

/// Those of an image, by label; one that it does not have is empty.
std::map<std::string, disk::Measured> partitions_of(const Appliance& appliance) {
  std::map<std::string, disk::Measured> partitions;
  for (const auto& [partition, measured] : appliance.partitions) {
    if (measured) partitions.emplace(partition.label, *measured);
  }
  return partitions;
}

void diff_partitions(const Appliance& before, const Appliance& after, ImageDifference& difference) {
  auto old = partitions_of(before);
  auto now = partitions_of(after);
  std::set<std::string> labels;
  for (const auto& [label, measured] : old) labels.insert(label);
  for (const auto& [label, measured] : now) labels.insert(label);
  for (const std::string& label : labels) {
    if (old[label].used == now[label].used && old[label].sha256 == now[label].sha256) continue;
    difference.partitions.push_back(label);
    if (old[label].used != now[label].used)
      difference.sizes.push_back({label, old[label].used, now[label].used});
  }
  if (before.size != after.size) difference.sizes.push_back({"disk", before.size, after.size});
}

/// The words of a kernel's command line by their names; those with one name stay together ("console=tty0
/// console=ttyS0").
std::map<std::string, std::string> arguments_of(const std::string& line) {
  std::map<std::string, std::string> arguments;
  std::size_t start = 0;
  while (start < line.size()) {
    const auto end = std::min(line.find(' ', start), line.size());
    const std::string word = line.substr(start, end - start);
    start = end + 1;
    if (word.empty()) continue;
    std::string& words = arguments[word.substr(0, word.find('='))];
    words += (words.empty() ? "" : " ") + word;
  }
  return arguments;
}

void diff_arguments(const Slot& before, const Slot& after, std::vector<ValueDifference>& differences) {
  auto old = arguments_of(before.command_line);
  auto now = arguments_of(after.command_line);
  std::set<std::string> names;
  for (const auto& [name, words] : old) names.insert(name);
  for (const auto& [name, words] : now) names.insert(name);
  for (const std::string& name : names) add(differences, "argument", old[name], now[name]);
}

/// What starts the machine, beyond the file systems.
Result<std::vector<ValueDifference>> diff_boot(const DiskImage& before, const Appliance& old,
                                               const DiskImage& after, const Appliance& now) {
  const auto digest = [](const DiskImage& image, const Appliance& appliance,
                         const char* file) -> Result<std::string> {
    TRY(const Partition boot, image.partition(image::kBootLabels[appliance.current]));
    TRY(const std::string bytes, image.read_fat_file(boot, file, kMostBootFile));
    return crypto::sha256_hex(bytes);
  };
  std::vector<ValueDifference> differences;
  const Slot& old_slot = old.slots[old.current];
  const Slot& new_slot = now.slots[now.current];
  add(differences, "slot", std::string(1, old_slot.name), std::string(1, new_slot.name));
  add(differences, "kernel release", old_slot.kernel_release, new_slot.kernel_release);
  for (const char* file : {image::kKernelFile, image::kInitrdFile}) {
    TRY(std::string old_digest, digest(before, old, file));
    TRY(std::string new_digest, digest(after, now, file));
    add(differences, file, std::move(old_digest), std::move(new_digest));
  }
  TRY(std::string old_code, disk::sha256_hex(before.disk(), {0, disk::kMasterBootCodeSize}));
  TRY(std::string new_code, disk::sha256_hex(after.disk(), {0, disk::kMasterBootCodeSize}));
  add(differences, "boot code", std::move(old_code), std::move(new_code));
  diff_arguments(old_slot, new_slot, differences);
  return differences;
}

/// A digest of everything that is in no partition: boot code, both copies of the partition table, gaps. What
/// is not in use of a gap costs nothing, as that behind the image on a larger disk.
Result<std::string> digest_outside(const DiskImage& image, std::uint64_t size,
                                   const std::vector<Partition>& partitions) {
  std::string digests;
  const auto add_gap = [&](std::uint64_t start, std::uint64_t end) -> Status {
    TRY(const disk::Measured gap, disk::measure(image.disk(), {start, end - start}));
    digests += fmt::format("{} {}\n", gap.used, gap.sha256);
    return ok();
  };
  std::uint64_t at = 0;
  for (const Partition& partition : partitions) {
    CHECK_OK(add_gap(at, partition.start));
    at = partition.start + partition.size;
  }
  const std::uint64_t table = std::max(at, size - disk::kTableSectors * disk::kSectorSize);
  CHECK_OK(add_gap(at, table));
  CHECK_OK(add_gap(table, size));
  return crypto::sha256_hex(digests);
}

Result<std::vector<FileDifference>> diff_usr(const DiskImage& before, const Appliance& old,
                                             const DiskImage& after, const Appliance& now) {
  TRY(const Partition old_usr, before.partition(image::kUsrLabels[old.current]));
  TRY(const Partition new_usr, after.partition(image::kUsrLabels[now.current]));
  TRY(const rootfs::FileTree old_tree, before.read_squashfs(old_usr));
  TRY(const rootfs::FileTree new_tree, after.read_squashfs(new_usr));
  TRY(auto differences, diff_trees(old_tree, new_tree));
  for (FileDifference& difference : differences) difference.path = "usr/" + difference.path;
  return differences;
}

const std::string& usr_digest(const Appliance& appliance) {
  static const std::string kNone;
  for (const auto& [partition, measured] : appliance.partitions) {
    if (measured && partition.label == image::kUsrLabels[appliance.current]) return measured->sha256;
  }
  return kNone;
}

Result<std::vector<ConfigurationDifference>> diff_configuration(const Appliance& before,
                                                                const Appliance& after,
                                                                const std::vector<FileDifference>& files) {
  std::vector<ConfigurationDifference> differences;
  for (const FileDifference& file : files) {
    if (!file.content || !file.path.starts_with("etc/")) continue;
    TRY(std::string unified, unified_diff(before.root, after.root, file.path));
    differences.push_back({file.path, file.change, std::move(unified)});
  }
  return differences;
}

}  // namespace

bool ImageDifference::empty() const {
  return identity.empty() && packages.empty() && files.empty() && sizes.empty() && boot.empty() &&
         partitions.empty();
}

std::vector<PackageDifference> diff_packages(const std::vector<InstalledPackage>& before,
                                             const std::vector<InstalledPackage>& after) {
  std::map<std::pair<std::string, std::string>, PackageDifference> all;
  const auto entry = [&](const InstalledPackage& package) -> PackageDifference& {
    const image::RecordedPackage& record = package.record;
    return all
        .try_emplace({record.name, record.architecture},
                     PackageDifference{record.name, record.architecture, {}, {}, false})
        .first->second;
  };
  for (const InstalledPackage& package : before) entry(package).before = package.record.version;
  for (const InstalledPackage& package : after) entry(package).after = package.record.version;
  std::vector<PackageDifference> differences;
  for (auto& [key, difference] : all) {
    if (difference.before == difference.after) continue;
    difference.older = !difference.before.empty() && !difference.after.empty() &&
                       lock::compare_versions(difference.after, difference.before) < 0;
    differences.push_back(std::move(difference));
  }
  return differences;
}

Result<ImageDifference> diff_images(const DiskImage& before, const DiskImage& after) {
  TRY(const Appliance old, read_appliance(before));
  TRY(const Appliance now, read_appliance(after));
  ImageDifference difference;
  difference.identity = diff_identity(old, now);
  difference.packages = diff_packages(old.facts.packages, now.facts.packages);
  diff_partitions(old, now, difference);
  TRY(difference.boot, diff_boot(before, old, after, now));
  TRY(std::string old_outside, digest_outside(before, old.size, before.partitions()));
  TRY(std::string new_outside, digest_outside(after, now.size, after.partitions()));
  add(difference.boot, "outside of partitions", std::move(old_outside), std::move(new_outside));
  TRY(difference.files, diff_trees(old.root, now.root));
  TRY(difference.configuration, diff_configuration(old, now, difference.files));
  if (usr_digest(old) != usr_digest(now)) {
    TRY(auto files, diff_usr(before, old, after, now));
    difference.files.insert(difference.files.end(), files.begin(), files.end());
  }
  return difference;
}

}  // namespace mailstead::inspect
