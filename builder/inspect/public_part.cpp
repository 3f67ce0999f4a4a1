// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/public_part.hpp"

#include <fmt/format.h>

#include <string_view>

#include "crypto/digest.hpp"
#include "disk/digest.hpp"
#include "image/image.hpp"
#include "image/records.hpp"
#include "inspect/root_hashes.hpp"

namespace mailstead::inspect {
namespace {

using image::PublicPart;

Result<PublicPart> measure_file(const DiskImage& image, std::size_t slot, const std::string& name,
                                const char* file) {
  TRY(const Partition boot, image.partition(image::kBootLabels[slot]));
  TRY(const std::string bytes, image.read_fat_file(boot, file, kMostBootFile));
  return PublicPart{name, bytes.size(), crypto::sha256_hex(bytes)};
}

Result<PublicPart> measure_range(const DiskImage& image, const std::string& name, std::uint64_t offset,
                                 std::uint64_t size, std::uint64_t room) {
  if (size > room)
    return fail(ErrorKind::integrity,
                fmt::format("the image records {} bytes of {}, where {} have room", size, name, room));
  TRY(std::string digest, disk::sha256_hex(image.disk(), {offset, size}));
  return PublicPart{name, size, std::move(digest)};
}

/// /usr's part ends with its hash tree, whose last block is never zero: all that is in use of the partition.
Result<PublicPart> usr_part(const Appliance& appliance) {
  for (const auto& [partition, measured] : appliance.partitions) {
    if (measured && partition.label == image::kUsrLabels[appliance.current])
      return PublicPart{image::kUsrPart, measured->used, measured->sha256};
  }
  return fail(ErrorKind::integrity, "the image has no /usr");
}

Result<PublicPart> measure(const DiskImage& image, const Appliance& appliance, const PublicPart& recorded) {
  const std::string& name = recorded.name;
  if (name == image::kUsrPart) return usr_part(appliance);
  if (name == image::kKernelPart) return measure_file(image, appliance.current, name, image::kKernelFile);
  if (name == image::kInitrdPart) return measure_file(image, appliance.current, name, image::kInitrdFile);
  if (name == image::kMbrPart) return measure_range(image, name, 0, recorded.size, disk::kMasterBootCodeSize);
  if (name == image::kEspPart) {
    TRY(const Partition esp, image.partition(image::kEspLabel));
    return measure_range(image, name, esp.start, recorded.size, esp.size);
  }
  TRY(const Partition bios, image.partition(image::kBiosLabel));
  return measure_range(image, name, bios.start, recorded.size, bios.size);
}

std::string differs(std::string_view what, std::string_view recorded, std::string_view measured) {
  return fmt::format("{}: the image records {}, its bytes say {}", what, recorded, measured);
}

}  // namespace

Result<MeasuredPublicPart> measure_public_part(const DiskImage& image, const Appliance& appliance) {
  const image::SlotRecord& record = appliance.record;
  MeasuredPublicPart result;
  result.measured.base = appliance.facts.base.identity;
  Slot slot = appliance.slots[appliance.current];
  TRY(slot.measured, measure_root_hashes(image, appliance.current, slot));
  result.measured.usr_root_hash = slot.measured->usr;
  result.mismatches = hash_mismatches(slot);
  if (record.base != result.measured.base)
    result.mismatches.push_back(differs("base", record.base, result.measured.base));
  if (record.usr_root_hash != result.measured.usr_root_hash)
    result.mismatches.push_back(differs("usr hash", record.usr_root_hash, result.measured.usr_root_hash));
  std::vector<PublicPart> parts = record.parts;
  parts.insert(parts.end(), appliance.disk_record.parts.begin(), appliance.disk_record.parts.end());
  for (const PublicPart& recorded : parts) {
    TRY(PublicPart part, measure(image, appliance, recorded));
    if (part.sha256 != recorded.sha256 || part.size != recorded.size)
      result.mismatches.push_back(differs(recorded.name, fmt::format("{} {}", recorded.sha256, recorded.size),
                                          fmt::format("{} {}", part.sha256, part.size)));
    result.measured.parts.push_back(std::move(part));
  }
  return result;
}

}  // namespace mailstead::inspect
