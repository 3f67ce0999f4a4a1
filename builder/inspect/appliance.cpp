// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/appliance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "base/printable.hpp"
#include "base/threads.hpp"
#include "image/image.hpp"
#include "rootfs/compose.hpp"

namespace mailstead::inspect {
namespace {

constexpr std::string_view kRulesPath = "etc/nftables.conf";

/// In the file system of /usr, which has no "usr/" in front.
std::string_view in_usr(std::string_view path) {
  return path.substr(std::string_view("usr/").size());
}

/// The text of a file; empty if there is none. Files of this kind are small: a hostile one is not read.
Result<std::string> text_of(const rootfs::FileTree& tree, std::string_view path) {
  constexpr std::uint64_t kMost = 16u << 20;
  const rootfs::Inode* inode = tree.find(path);
  if (inode == nullptr || inode->type != rootfs::FileType::regular) return std::string();
  if (inode->content.size() > kMost)
    return fail(ErrorKind::integrity, fmt::format("{} is larger than any that Mailstead writes", path));
  return inode->content.read();
}

Result<std::string> required_text(const rootfs::FileTree& tree, std::string_view path) {
  TRY(std::string text, text_of(tree, path));
  if (text.empty())
    return fail(
        ErrorKind::integrity, fmt::format("the image has no {}", path),
        "it is from a version of Mailstead that did not write any, or from elsewhere; build it again");
  return text;
}

Result<PublicFacts> read_facts(const DiskImage& image, std::size_t slot) {
  TRY(const Partition partition, image.partition(image::kUsrLabels[slot]));
  TRY(const rootfs::FileTree tree, image.read_squashfs(partition, {"share/mailstead"}));
  PublicFacts facts;
  TRY(const std::string json, required_text(tree, in_usr(image::kBaseRecordPath)));
  TRY(facts.base, image::read_base_record(json));
  TRY(const std::string status, required_text(tree, std::string(in_usr(rootfs::kDpkgDatabase)) + "/status"));
  TRY(auto entries, read_dpkg_status(status));
  TRY(facts.packages, match_packages(facts.base.packages, std::move(entries)));
  return facts;
}

Status read_root(const DiskImage& image, Appliance& appliance) {
  TRY(const Partition partition, image.partition(image::kRootLabels[appliance.current]));
  TRY(appliance.root, image.read_squashfs(partition));
  TRY(const std::string json, required_text(appliance.root, image::kSlotRecordPath));
  TRY(appliance.record, image::read_slot_record(json));
  TRY(const Partition esp, image.partition(image::kEspLabel));
  if (esp.size > image::kDiskRecordRoom) {
    TRY(const std::string room,
        image.disk().read(esp.start + esp.size - image::kDiskRecordRoom, image::kDiskRecordRoom));
    TRY(appliance.disk_record, image::read_disk_record(room));
  }
  TRY(appliance.hostname, text_of(appliance.root, "etc/hostname"));
  appliance.hostname.erase(std::min(appliance.hostname.find('\n'), appliance.hostname.size()));
  appliance.units = enabled_units(appliance.root);
  TRY(const std::string rules, text_of(appliance.root, kRulesPath));
  appliance.ports = open_ports(rules);
  return ok();
}

}  // namespace

Result<std::vector<InstalledPackage>> match_packages(const std::vector<image::RecordedPackage>& recorded,
                                                     std::map<std::string, DpkgEntry> entries) {
  std::vector<InstalledPackage> packages;
  for (const image::RecordedPackage& package : recorded) {
    const auto entry = entries.find(package.name + ":" + package.architecture);
    if (entry == entries.end() || entry->second.version != package.version)
      return fail(ErrorKind::integrity,
                  fmt::format("the image records {} {}, and its package database has another version or none",
                              package.name, package.version));
    packages.push_back({package, std::move(entry->second)});
    entries.erase(entry);
  }
  // What the record leaves out would be missing in every list, and nobody would know.
  if (!entries.empty())
    return fail(ErrorKind::integrity,
                fmt::format("the image's package database has {}, and its record does not",
                            printable(entries.begin()->first)));
  return packages;
}

Result<std::size_t> current_slot(const std::vector<Slot>& slots) {
  for (const bool first : {true, false}) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (slots[i].filled && slots[i].first == first) return i;
    }
  }
  return fail(ErrorKind::integrity, "both slots of the image are empty");
}

Result<Appliance> read_appliance(const DiskImage& image) {
  Appliance appliance;
  appliance.file = image.disk().path().string();
  appliance.size = image.disk().size();
  // Hashing takes longest, and needs nothing of the rest.
  using Measuring = std::future<Result<disk::Measured>>;
  std::vector<std::pair<Partition, Measuring>> running;
  for (const Partition& partition : image.partitions()) {
    Measuring& measuring = running.emplace_back(partition, Measuring()).second;
    if (partition.label == image::kDataLabel) continue;
    measuring = beside([&image, &partition] { return disk::measure(image.disk(), partition.extent()); });
  }
  TRY(appliance.boot_state, read_boot_state(image));
  TRY(appliance.slots, read_slots(image));
  TRY(appliance.current, current_slot(appliance.slots));
  auto facts = beside([&image, slot = appliance.current] { return read_facts(image, slot); });
  CHECK_OK(read_root(image, appliance));
  TRY(appliance.facts, facts.get());
  for (auto& [partition, measuring] : running) {
    MeasuredPartition& added = appliance.partitions.emplace_back(MeasuredPartition{partition, {}});
    if (!measuring.valid()) continue;
    TRY(added.measured, measuring.get());
  }
  return appliance;
}

Result<PublicFacts> read_public_facts(const DiskImage& image) {
  TRY(const std::vector<Slot> slots, read_slots(image));
  TRY(const std::size_t slot, current_slot(slots));
  return read_facts(image, slot);
}

Result<std::vector<OpenPort>> read_open_ports(const DiskImage& image) {
  TRY(const std::vector<Slot> slots, read_slots(image));
  TRY(const std::size_t slot, current_slot(slots));
  TRY(const Partition partition, image.partition(image::kRootLabels[slot]));
  TRY(const rootfs::FileTree root, image.read_squashfs(partition, {"etc"}));
  TRY(const std::string rules, text_of(root, kRulesPath));
  return open_ports(rules);
}

}  // namespace mailstead::inspect
