// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Whole disks of an appliance, small, written by the programs of this machine.
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "image/boot_state.hpp"
#include "image/disk.hpp"
#include "image/grub.hpp"
#include "image/partitions.hpp"
#include "image/records.hpp"
#include "image/verity.hpp"
#include "support/disk_file.hpp"

namespace mailstead::test {

using image::kMebibyte;

inline constexpr std::int64_t kTime = 1'700'000'000;
inline const std::string kSite = "mail.example.org";
inline const std::string kOld(64, 'a');  // identities of bases
inline const std::string kNew(64, 'b');

inline image::Layout layout() {
  // The least that is FAT32.
  return {37 * kMebibyte, 36 * kMebibyte, kMebibyte, kMebibyte};
}

inline std::string run_at_time(std::vector<std::string> argv, std::string input = {}) {
  argv.insert(argv.begin(), {"env", fmt::format("SOURCE_DATE_EPOCH={}", kTime)});
  return output_of(std::move(argv), std::move(input));
}

inline image::PublicPart part_of(const char* name, const std::string& bytes) {
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
  void put_slot(const DiskFile& disk, std::size_t slot) const {
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
    output_of({"truncate", "-s", fmt::format("{}", size), file.string()});
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
    const std::uint64_t place = layout().esp_size - image::kBootStateFromEnd;
    REQUIRE(image::aim_next_file(fat, place));
    add(fat, image::kGrubEnvironmentFile, image::boot_state_block({}));
    esp = read_file(fat).value();
  }
  image::VerityImage make_verity(const std::string& folder, const char* name) {
    image::VerityImage made;
    made.file = folder_.path() / name;
    // Of one block, there would be no tree.
    write(folder + "/filler", std::string(20'000, 'x'));
    output_of({"mksquashfs", (folder_.path() / folder).string(), made.file.string(), "-quiet", "-no-progress",
               "-noD", "-noF", "-all-root", "-all-time", fmt::format("{}", kTime)});
    made.hash_offset = std::filesystem::file_size(made.file);
    const image::VerityIds ids = image::verity_ids(base_, name);
    const std::string said =
        output_of({"veritysetup", "format", fmt::format("--hash-offset={}", made.hash_offset),
                   "--salt=" + ids.salt, "--uuid=" + ids.uuid, made.file.string(), made.file.string()});
    made.root_hash = said.substr(said.find_first_not_of(" \t", said.find("Root hash:") + 10), 64);
    return made;
  }

  TemporaryDirectory folder_ = TemporaryDirectory::create().value();
  std::string base_;
};

inline const Made& old_base() {
  static const Made made(kOld);
  return made;
}
inline const Made& new_base() {
  static const Made made(kNew);
  return made;
}

inline const image::Partition& partition(image::PartitionNumber number) {
  static const auto partitions = image::place_partitions(layout(), kSite).value();
  return image::partition_of(partitions, number);
}

/// A disk as it is made with a base: slot A is filled.
inline DiskFile made_disk(const Made& made, const std::string& hostname = kSite) {
  const auto partitions = image::place_partitions(layout(), hostname).value();
  DiskFile file(image::disk_size(partitions));
  output_of({"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--lock=no", file.path().string()},
            image::sfdisk_script(partitions, hostname));
  file.write_at(0, made.boot_code);
  file.write_at(partition(image::kEspNumber).start, made.esp);
  file.write_at(image::disk_record_place(partition(image::kEspNumber)), made.record);
  file.write_at(partition(image::kBiosNumber).start, made.core);
  made.put_slot(file, 0);
  return file;
}
inline DiskFile fresh_disk() {
  return made_disk(old_base());
}

}  // namespace mailstead::test
