// SPDX-License-Identifier: GPL-3.0-or-later
// Whole disks, written by the programs of this machine: one as it is made, and what becomes of it when slots
// are updated.
#include "verify/chain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "support/made_disk.hpp"

using namespace mailstead;
using namespace mailstead::verify;
using namespace mailstead::test;

namespace {

Report verified(const test::DiskFile& file, const std::string& root_hash) {
  const disk::Disk disk = file.open();
  const auto contents = read_contents(disk);
  REQUIRE(contents);
  const auto partitions = image::place_partitions(contents->layout, "").value();
  Report report;
  const auto reporter = make_quiet_reporter();
  const auto done = check_chain(disk, *contents, Places::of(disk, partitions, contents->table.end), root_hash,
                                *reporter, report);
  INFO((done ? "" : format_error(done.error())));
  REQUIRE(done);
  return report;
}

/// "check: structure" of each finding.
std::vector<std::string> findings_of(const Report& report) {
  std::vector<std::string> found;
  for (const Check& check : report.checks)
    for (const Finding& finding : check.findings) found.push_back(check.name + ": " + finding.structure);
  return found;
}

std::vector<std::string> names_of(const Report& report) {
  std::vector<std::string> names;
  for (const Check& check : report.checks) names.push_back(check.name);
  return names;
}

void set_state(const test::DiskFile& file, const image::BootState& state) {
  file.write_at(image::boot_state_place(partition(image::kEspNumber)), image::boot_state_block(state));
}

void start_with_b(const test::DiskFile& file) {
  set_state(file, {'b', {}, 0});
}

const std::string kOtherBase =
    "that what starts the machine, and the sizes of partitions, are those of base aaaaaaaaaaaa, with which "
    "the "
    "disk says that it was made: its slots have other bases";

}  // namespace

TEST_CASE("The root hash of a fresh disk vouches for every byte of it") {
  const Report report = verified(fresh_disk(), old_base().root_hash);
  CHECK(findings_of(report) == std::vector<std::string>{});
  CHECK(report.unproved == std::vector<std::string>{});
  CHECK(names_of(report) == std::vector<std::string>{"root file system", "root hash", "record", "/usr",
                                                     "boot partition", "record of the disk",
                                                     "partition table", "EFI system partition", "boot state",
                                                     "legacy BIOS boot", "empty space"});
}

TEST_CASE("A disk whose slot A holds a newer base than the one that it was made with verifies") {
  const test::DiskFile file = fresh_disk();
  new_base().put_slot(file, 0);
  const Report report = verified(file, new_base().root_hash);
  CHECK(findings_of(report) == std::vector<std::string>{});
  CHECK(report.unproved == std::vector<std::string>{kOtherBase});
}

TEST_CASE("A disk whose slot B was written and is started first verifies, by the root hash of that slot") {
  const test::DiskFile file = fresh_disk();
  new_base().put_slot(file, 1);
  start_with_b(file);
  const Report report = verified(file, new_base().root_hash);
  CHECK(findings_of(report) == std::vector<std::string>{});
  const auto names = names_of(report);
  CHECK(std::count(names.begin(), names.end(), "slot B: root hash") == 1);
  CHECK(std::count(names.begin(), names.end(), "root hash") == 0);
  // Slot A vouches for the disk, and is known by a root hash that nobody has named.
  REQUIRE(report.unproved.size() == 1);
  CHECK(report.unproved[0].starts_with("that the root hash of slot A, "));
  CHECK(findings_of(verified(file, old_base().root_hash)) ==
        std::vector<std::string>{"slot B: root hash: root hash"});
}

TEST_CASE("A slot that is neither filled nor started has to be empty, be it A or B") {
  const test::DiskFile file = fresh_disk();
  old_base().put_slot(file, 1);
  start_with_b(file);
  for (const auto number : {image::kBootNumberA, image::kUsrNumberA, image::kRootNumberA})
    file.write_at(partition(number).start, std::string(partition(number).size, '\0'));
  CHECK(findings_of(verified(file, old_base().root_hash)) == std::vector<std::string>{});
  file.write_at(partition(image::kUsrNumberA).start + 5000, "\x01");
  CHECK(findings_of(verified(file, "")) == std::vector<std::string>{"empty space: unused space"});
}

TEST_CASE("Every state of the slots is one that a disk may have, and is said; any other bytes are found") {
  const test::DiskFile file = fresh_disk();
  new_base().put_slot(file, 1);
  const auto said = [](const Report& report) {
    for (const Check& check : report.checks)
      if (check.name == "boot state") return check.counted;
    return std::string();
  };
  for (const char slot : {'a', 'b'}) {
    for (const std::optional<char> trial : {std::optional<char>(), std::optional('a'), std::optional('b')}) {
      const image::BootState state{slot, trial, trial ? 2 : 0};
      set_state(file, state);
      const Report report = verified(file, state.next() == 'a' ? old_base().root_hash : new_base().root_hash);
      CHECK(findings_of(report) == std::vector<std::string>{});
      CHECK(said(report) == image::describe(state));
    }
  }
  const std::uint64_t place = image::boot_state_place(partition(image::kEspNumber));
  file.write_at(place + 30, "c");
  CHECK(findings_of(verified(file, "")) ==
        std::vector<std::string>{"EFI system partition: EFI system partition", "boot state: boot state"});
}

TEST_CASE("After two updates no slot has the base that the disk was made with, and it verifies") {
  const test::DiskFile file = fresh_disk();
  const Made newest(std::string(64, 'c'));
  new_base().put_slot(file, 1);
  newest.put_slot(file, 0);
  const Report report = verified(file, newest.root_hash);
  CHECK(findings_of(report) == std::vector<std::string>{});
  REQUIRE(report.unproved.size() == 2);
  CHECK(report.unproved[1] == kOtherBase);
}

TEST_CASE("What starts the machine is held against the record of the disk, whatever base a slot has") {
  for (const bool updated : {false, true}) {
    const auto damaged = [&](std::uint64_t offset) {
      const test::DiskFile file = fresh_disk();
      if (updated) new_base().put_slot(file, 0);
      file.write_at(offset, "\xff");
      return findings_of(verified(file, ""));
    };
    const std::uint64_t esp = partition(image::kEspNumber).start;
    CHECK(damaged(7) == std::vector<std::string>{"legacy BIOS boot: master boot record: code"});
    CHECK(damaged(esp + old_base().esp.find("of aaaa")) ==
          std::vector<std::string>{"EFI system partition: EFI system partition"});
    CHECK(damaged(partition(image::kBiosNumber).start + 3) ==
          std::vector<std::string>{"legacy BIOS boot: GRUB's core image"});
    CHECK(damaged(partition(image::kBootNumberB).start + 3) ==
          std::vector<std::string>{"empty space: empty slot"});
  }
}

TEST_CASE("A record of the disk other than that of its own base is found") {
  const test::DiskFile file = fresh_disk();
  const std::uint64_t place = image::disk_record_place(partition(image::kEspNumber));
  std::string record = old_base().record;
  record.replace(record.find("amd64"), 5, "arm64");
  file.write_at(place, record);
  CHECK(findings_of(verified(file, "")).front() == "record of the disk: record of the disk");
  record = old_base().record;
  record.replace(record.find(kOld), 1, "c");
  file.write_at(place, record);
  CHECK(findings_of(verified(file, "")) ==
        std::vector<std::string>{"record of the disk: record of the disk"});
  file.write_at(place, "{ ");
  CHECK(findings_of(verified(file, "")).front() == "record of the disk: record of the disk");
  // Behind its end as well.
  const test::DiskFile longer = fresh_disk();
  longer.write_at(place + image::kDiskRecordRoom - 1, "\x01");
  CHECK(findings_of(verified(longer, "")) ==
        std::vector<std::string>{"record of the disk: record of the disk"});
}

TEST_CASE("Slots of two sites on one disk are found") {
  const test::DiskFile file = fresh_disk();
  const Made other(kNew, "mail.example.net");
  other.put_slot(file, 1);
  const auto found = findings_of(verified(file, ""));
  REQUIRE(!found.empty());
  CHECK(found.front() == "record of the disk: record of the disk");
}
