// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/machine_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "disk/digest.hpp"
#include "disk/fat.hpp"
#include "disk/gpt.hpp"
#include "image/grub.hpp"
#include "verify/boot_partition.hpp"
#include "verify/compare.hpp"

namespace mailstead::verify {
namespace {

using disk::Disk;
using disk::Extent;
using image::Partition;

/// The file system of the EFI system partition, which has the record behind it.
Extent esp_file_system(const Partition& esp) {
  return {esp.start, esp.size - image::kDiskRecordRoom};
}

/// The block that says which slot is started.
Extent boot_state_of(const Partition& esp) {
  return {image::boot_state_place(esp), image::kBootStateSize};
}

/// SHA-256 of the file system, as it was when the disk was made: the boot state `state`, or what is there, is
/// all that changes.
Result<std::string> esp_digest(const Disk& disk, const Partition& esp, const std::string& state) {
  const Extent files = esp_file_system(esp);
  const Extent block = boot_state_of(esp);
  crypto::Sha256 hash;
  const auto add = [&](std::uint64_t, std::string_view bytes) {
    hash.update(bytes);
    return ok();
  };
  CHECK_OK(disk.stream({files.start, block.start - files.start}, add));
  hash.update(state);
  CHECK_OK(disk.stream({block.end(), files.end() - block.end()}, add));
  return crypto::to_hex(hash.finish());
}

class DiskChain {
 public:
  DiskChain(const Disk& disk, const Contents& contents, const std::vector<SlotFacts>& slots,
            const Places& places, Report& report)
      : disk_(disk), contents_(contents), slots_(slots), places_(places), report_(report) {}

  Status run() {
    TRY(partitions_, image::place_partitions(contents_.layout, slots_.front().hostname));
    CHECK_OK(read_record());
    CHECK_OK(check_table_copies());
    CHECK_OK(check_esp());
    CHECK_OK(check_boot_state());
    return check_bios();
  }

 private:
  const Partition& partition(image::PartitionNumber number) const {
    return image::partition_of(partitions_, number);
  }

  Check& start_check(std::string name) {
    report_.checks.push_back({std::move(name), {}, {}, 0});
    return report_.checks.back();
  }

  Status read_record() {
    const Partition& esp = partition(image::kEspNumber);
    Check& check = start_check("record of the disk");
    const std::uint64_t place = image::disk_record_place(esp);
    const auto differs = [&](std::string expected, std::string found) {
      check.add({"record of the disk", esp.label, {}, place, std::move(expected), std::move(found)});
    };
    for (const SlotFacts& slot : slots_)
      if (slot.hostname != slots_.front().hostname)
        differs("slots of one site", fmt::format("{} and {}", slots_.front().hostname, slot.hostname));
    TRY(const std::string room, disk_.read(place, image::kDiskRecordRoom));
    const std::string digest = crypto::sha256_hex(image::disk_record_text(room));
    auto record = image::read_disk_record(room);
    if (!record) {
      differs("SHA-256 " + slots_.front().record->disk_sha256, record.error().message);
      return ok();
    }
    record_ = *std::move(record);
    check.counted =
        fmt::format("{}, base {}", platform::facts_of(record_->layout.machine.architecture).debian,
                    record_->base.substr(0, 12));
    // The file system's id derives from the base: a record that names another one is not of this disk.
    constexpr std::size_t kVolumeId = 67;  // of FAT32's boot sector
    TRY(const std::string sector, disk_.read(esp.start, disk::kSectorSize));
    const std::uint64_t id = disk::little_endian(sector, kVolumeId, 4);
    if (id != image::fat_volume_id(record_->base))
      differs(fmt::format("the base whose EFI system partition has the volume id {:08x}", id),
              "base " + record_->base);
    const auto vouches = [&](const SlotFacts& slot) { return slot.record->disk_sha256 == digest; };
    if (std::any_of(slots_.begin(), slots_.end(), vouches)) return ok();
    const auto same_base = [&](const SlotFacts& slot) { return slot.record->base == record_->base; };
    if (const auto slot = std::find_if(slots_.begin(), slots_.end(), same_base); slot != slots_.end())
      differs("SHA-256 " + slot->record->disk_sha256, "SHA-256 " + digest);
    else
      report_.unproved.push_back(
          fmt::format("that what starts the machine, and the sizes of partitions, are those of base {}, with "
                      "which the disk says that it was made: its slots have other bases",
                      record_->base.substr(0, 12)));
    return ok();
  }

  Status check_table_copies() {
    Check& check = start_check("partition table");
    check.counted = fmt::format("2 copies, {} partitions", partitions_.size());
    if (record_ && !(record_->layout == contents_.layout))
      check.add({"partition table", {}, {}, {}, "the sizes in the record of the disk", "others"});
    return check_table(disk_,
                       contents_.as_changed(table_of(partitions_, image::disk_uuid(slots_.front().hostname),
                                                     contents_.table.end)),
                       check);
  }

  Status check_esp() {
    const Partition& here = partition(image::kEspNumber);
    const Extent files = esp_file_system(here);
    Check& check = start_check("EFI system partition");
    check.counted = human_size(files.size);
    if (record_) {
      const Extent place = boot_state_of(here);
      TRY(std::string state, disk_.read(place.start, place.size));
      if (image::read_boot_state(state)) state = image::boot_state_block({});
      TRY(const std::string digest, esp_digest(disk_, here, state));
      const image::PublicPart& recorded = *image::find_part(record_->parts, image::kEspPart);
      if (recorded.size == files.size && recorded.sha256 == digest) return ok();
      check.add({"EFI system partition",
                 here.label,
                 {},
                 here.start,
                 "SHA-256 " + recorded.sha256,
                 "SHA-256 " + digest});
    }
    if (const auto volume = disk::read_any_fat(disk_, files))
      return check_fat_copies(disk_, *volume, here, check);
    return ok();
  }

  Status check_boot_state() {
    const Partition& esp = partition(image::kEspNumber);
    const Extent place = boot_state_of(esp);
    Check& check = start_check("boot state");
    TRY(const std::string block, disk_.read(place.start, place.size));
    if (const auto state = image::read_boot_state(block))
      check.counted = image::describe(*state);
    else
      check.add({"boot state", esp.label, image::kGrubEnvironmentFile, place.start,
                 "the slot to start, and what is left of a trial", hexadecimal(block)});
    return ok();
  }

  Status check_bios() {
    if (!record_) return ok();
    const image::PublicPart* boot_code = image::find_part(record_->parts, image::kMbrPart);
    const image::PublicPart* recorded = image::find_part(record_->parts, image::kBiosPart);
    if (boot_code == nullptr || recorded == nullptr) return ok();
    Check& check = start_check(platform::words_of(platform::BootMethod::grub_bios));
    TRY(const std::string code, disk_.read(0, disk::kMasterBootCodeSize));
    check_part(*boot_code, code.size(), crypto::sha256_hex(code),
               {"master boot record: code", {}, {}, 0, {}, {}}, check);
    const Partition& here = partition(image::kBiosNumber);
    const std::uint64_t size = std::min(recorded->size, here.size);
    TRY(const std::string core, disk_.read(here.start, size));
    check_part(*recorded, core.size(), crypto::sha256_hex(core),
               {"GRUB's core image", here.label, {}, here.start, {}, {}}, check);
    check.counted = fmt::format("{} and {} bytes", code.size(), core.size());
    return expect_empty(disk_, {here.start + size, here.size - size}, places_, check);
  }

  const Disk& disk_;
  const Contents& contents_;
  const std::vector<SlotFacts>& slots_;
  const Places& places_;
  Report& report_;
  std::vector<Partition> partitions_;
  std::optional<image::DiskRecord> record_;
};

}  // namespace

Result<image::BootState> read_boot_state(const Disk& disk, const std::vector<Partition>& partitions) {
  const Extent place = boot_state_of(image::partition_of(partitions, image::kEspNumber));
  TRY(const std::string block, disk.read(place.start, place.size));
  return image::read_boot_state(block).value_or(image::BootState());
}

Result<bool> esp_is_recorded(const Disk& disk, const std::vector<Partition>& partitions) {
  const Partition& esp = image::partition_of(partitions, image::kEspNumber);
  TRY(const std::string room, disk.read(image::disk_record_place(esp), image::kDiskRecordRoom));
  const auto record = image::read_disk_record(room);
  if (!record) return false;
  const image::PublicPart& part = *image::find_part(record->parts, image::kEspPart);
  TRY(const std::string digest, esp_digest(disk, esp, image::boot_state_block({})));
  return part.size == esp_file_system(esp).size && part.sha256 == digest;
}

Status check_machine_disk(const Disk& disk, const Contents& contents, const std::vector<SlotFacts>& slots,
                          const Places& places, Report& report) {
  return DiskChain(disk, contents, slots, places, report).run();
}

Status check_empty(const Disk& disk, const Contents& contents, const std::vector<Extent>& unused,
                   const Places& places, Report& report) {
  TRY(const auto partitions, image::place_partitions(contents.layout, ""));
  report.checks.push_back({"empty space", {}, {}, 0});
  Check& check = report.checks.back();
  const std::uint64_t table = disk::kTableSectors * disk::kSectorSize;
  std::vector<Extent> empty{{table, partitions.front().start - table}, contents.tail()};
  empty.insert(empty.end(), unused.begin(), unused.end());
  std::uint64_t sum = 0;
  for (const Extent& extent : empty) {
    CHECK_OK(expect_empty(disk, extent, places, check));
    sum += extent.size;
  }
  check.counted = human_size(sum);
  return ok();
}

}  // namespace mailstead::verify
