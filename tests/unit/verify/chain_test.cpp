// SPDX-License-Identifier: GPL-3.0-or-later
// Whole disks, written by the programs of this machine: one as it is made, and what becomes of it when slots
// are updated.
#include "verify/chain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "image/grub.hpp"
#include "image/records.hpp"
#include "image/verity.hpp"
#include "support/disk_file.hpp"

using namespace mailstead;
using namespace mailstead::verify;

namespace {

using image::kMebibyte;

constexpr std::int64_t kTime = 1'700'000'000;
const std::string kSite = "mail.example.org";
const std::string kOld(64, 'a');  // identities of bases
const std::string kNew(64, 'b');

image::Layout layout() {
  // The least that is FAT32.
  return {37 * kMebibyte, 36 * kMebibyte, kMebibyte, kMebibyte};
}

std::string run_at_time(std::vector<std::string> argv, std::string input = {}) {
  argv.insert(argv.begin(), {"env", fmt::format("SOURCE_DATE_EPOCH={}", kTime)});
  return test::output_of(std::move(argv), std::move(input));
}

image::PublicPart part_of(const char* name, const std::string& bytes) {
  return {name, bytes.size(), crypto::sha256_hex(bytes)};
}

/// Everything that one base puts onto the disk of a site.
class Made {
 public:
  std::string esp;
  std::string boot_code;
  std::string core;
  std::string record;
  std::string usr;
  std::string root;
  std::string boot;
  std::string root_hash;

  explicit Made(const std::string& base, const std::string& hostname = kSite)
      : boot_code(440, base.front()), core("core of " + base), base_(base) {
    make_esp();
    record =
        image::to_json(image::DiskRecord{base,
                                         layout(),
                                         {part_of(image::kEspPart, esp), part_of(image::kMbrPart, boot_code),
                                          part_of(image::kBiosPart, core)}});
    write("usr/share/base", "made from " + base + "\n");
    const image::VerityImage usr_image = make_verity("usr", image::kUsrImageName);
    usr = read_file(usr_image.file).value();
    const std::string kernel = "kernel of " + base;
    const std::string initrd = "initrd of " + base;
    write("root/etc/hostname", hostname + "\n");
    write(
        "root/etc/mailstead/slot.json",
        image::to_json(image::SlotRecord{base,
                                         usr_image.root_hash,
                                         {part_of(image::kUsrPart, usr), part_of(image::kKernelPart, kernel),
                                          part_of(image::kInitrdPart, initrd)},
                                         {"quiet"},
                                         crypto::sha256_hex(record)}));
    const image::VerityImage root_image = make_verity("root", image::kRootImageName);
    root = read_file(root_image.file).value();
    root_hash = root_image.root_hash;
    const std::string fat = make_fat("boot.img", layout().boot_size, image::kBootFatLabel, hostname);
    add(fat, "vmlinuz", kernel);
    add(fat, "initrd.img", initrd);
    for (const auto& [file, text] : image::slot_configs(hostname, usr_image, root_image, {"quiet"}))
      add(fat, file, text);
    boot = read_file(fat).value();
  }

  /// Fills a slot of a disk, and nothing else of it.
  void put_slot(const test::DiskFile& disk, std::size_t slot) const {
    const auto partitions = image::place_partitions(layout(), kSite).value();
    const auto place = [&](image::PartitionNumber number) {
      return image::partition_of(partitions, number).start;
    };
    disk.write_at(place(image::kSlots[slot].boot), boot);
    disk.write_at(place(image::kSlots[slot].usr), usr);
    disk.write_at(place(image::kSlots[slot].root), root);
  }

 private:
  void write(const std::string& path, const std::string& text) {
    const auto file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    REQUIRE(write_file(file, text));
  }
  std::string make_fat(const std::string& name, std::uint64_t size, const char* label,
                       const std::string& scope) {
    const auto file = folder_.path() / name;
    test::output_of({"truncate", "-s", fmt::format("{}", size), file.string()});
    run_at_time({"mkfs.fat", "--invariant", "-i", fmt::format("{:08x}", image::fat_volume_id(scope)), "-n",
                 label, "-F", "32", "-s", "1", file.string()});
    return file.string();
  }
  static void add(const std::string& fat, const std::string& path, const std::string& text) {
    run_at_time({"mcopy", "-i", fat, "-", "::" + path}, text);
  }
  void make_esp() {
    const std::string fat =
        make_fat("esp.img", layout().esp_size - image::kDiskRecordRoom, "MAILSTEAD", base_);
    run_at_time({"mmd", "-i", fat, "::grub"});
    add(fat, "grub/grub.cfg", "of " + base_);
    add(fat, image::kGrubEnvironmentFile, image::grub_environment('a'));
    esp = read_file(fat).value();
  }
  image::VerityImage make_verity(const std::string& folder, const char* name) {
    image::VerityImage made;
    made.file = folder_.path() / name;
    // Of one block, there would be no tree.
    write(folder + "/filler", std::string(20'000, 'x'));
    test::output_of({"mksquashfs", (folder_.path() / folder).string(), made.file.string(), "-quiet",
                     "-no-progress", "-noD", "-noF", "-all-root", "-all-time", fmt::format("{}", kTime)});
    made.hash_offset = std::filesystem::file_size(made.file);
    const image::VerityIds ids = image::verity_ids(base_, name);
    const std::string said =
        test::output_of({"veritysetup", "format", fmt::format("--hash-offset={}", made.hash_offset),
                         "--salt=" + ids.salt, "--uuid=" + ids.uuid, made.file.string(), made.file.string()});
    made.root_hash = said.substr(said.find_first_not_of(" \t", said.find("Root hash:") + 10), 64);
    return made;
  }

  TemporaryDirectory folder_ = TemporaryDirectory::create().value();
  std::string base_;
};

const Made& old_base() {
  static const Made made(kOld);
  return made;
}
const Made& new_base() {
  static const Made made(kNew);
  return made;
}

const image::Partition& partition(image::PartitionNumber number) {
  static const auto partitions = image::place_partitions(layout(), kSite).value();
  return image::partition_of(partitions, number);
}

/// A disk as it is made with the old base: slot A is filled.
test::DiskFile fresh_disk() {
  const auto partitions = image::place_partitions(layout(), kSite).value();
  test::DiskFile file(image::disk_size(partitions));
  test::output_of({"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", file.path().string()},
                  image::sfdisk_script(partitions, kSite));
  const Made& made = old_base();
  file.write_at(0, made.boot_code);
  file.write_at(partition(image::kEspNumber).start, made.esp);
  file.write_at(image::disk_record_place(partition(image::kEspNumber)), made.record);
  file.write_at(partition(image::kBiosNumber).start, made.core);
  made.put_slot(file, 0);
  return file;
}

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

void start_with_b(const test::DiskFile& file) {
  const auto at = old_base().esp.find("slot=a\n");
  REQUIRE(at != std::string::npos);
  file.write_at(partition(image::kEspNumber).start + at, "slot=b");
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
                                                     "partition table", "EFI system partition",
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
