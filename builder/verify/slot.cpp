// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/slot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "disk/squashfs.hpp"
#include "disk/verity.hpp"
#include "image/grub.hpp"
#include "image/verity.hpp"
#include "verify/boot_partition.hpp"
#include "verify/compare.hpp"
#include "verify/squashfs.hpp"
#include "verify/verity.hpp"

namespace mailstead::verify {
namespace {

using disk::Disk;
using disk::Extent;
using image::Partition;
using image::PartitionNumber;

constexpr std::uint64_t kMostRecord = 16u << 20;  // a hundred times what one has

/// The text of a file. Errors: there is none, or it is no record of ours.
Result<std::string> text_of(const rootfs::FileTree& tree, const char* path) {
  const rootfs::Inode* inode = tree.find(path);
  if (inode == nullptr || inode->type != rootfs::FileType::regular)
    return fail(ErrorKind::integrity, fmt::format("there is no {}", path));
  if (inode->content.size() > kMostRecord)
    return fail(ErrorKind::integrity, fmt::format("{} is too large: {} bytes", path, inode->content.size()));
  return inode->content.read();
}

Extent behind(const Partition& partition, std::uint64_t used) {
  return {partition.start + used, partition.size - std::min(partition.size, used)};
}

class SlotChain {
 public:
  SlotChain(const Disk& disk, const std::vector<Partition>& partitions, std::size_t slot,
            const Places& places, const std::string& trusted_root_hash, Report& report)
      : disk_(disk),
        root_partition_(image::partition_of(partitions, image::kSlots[slot].root)),
        usr_partition_(image::partition_of(partitions, image::kSlots[slot].usr)),
        places_(places),
        trusted_root_hash_(trusted_root_hash),
        report_(report),
        boot_(BootPartition::read(disk, image::partition_of(partitions, image::kSlots[slot].boot), slot)) {
    facts_.slot = slot;
  }

  Result<SlotFacts> run() {
    CHECK_OK(check_root());
    if (!trusted_root_hash_.empty()) check_root_hash();
    CHECK_OK(read_record());
    if (facts_.root.size != 0) facts_.unused.push_back(behind(root_partition_, facts_.root.end()));
    if (facts_.record) {
      CHECK_OK(check_usr());
      CHECK_OK(check_boot());
      if (facts_.usr.size != 0) facts_.unused.push_back(behind(usr_partition_, facts_.usr.end()));
    }
    return std::move(facts_);
  }

 private:
  Check& start_check(const std::string& name) {
    const std::string whose = facts_.slot == 0 ? "" : "slot B: ";
    report_.checks.push_back({whose + name, {}, {}, 0});
    return report_.checks.back();
  }

  Status check_root() {
    Check& check = start_check("root file system");
    TRY(facts_.root, check_root_tree(disk_, boot_.slot_config(), root_partition_, places_, check));
    root_sound_ = check.findings.empty();
    return ok();
  }

  /// The one that was named against the one under which the root file system is sound, or, if it is not, the
  /// one that the machine would be started with.
  void check_root_hash() {
    Check& check = start_check("root hash");
    check.counted = trusted_root_hash_;
    const std::string& found = facts_.root.root_hash;
    if (found != trusted_root_hash_)
      check.add(
          {"root hash", root_partition_.label, {}, {}, trusted_root_hash_, found.empty() ? "none" : found});
  }

  Status read_record() {
    if (!root_sound_) return ok();
    Check& check = start_check("record");
    const auto unreadable = [&](const Error& error) -> Status {
      // The machine's fault and not the image's.
      if (error.kind == ErrorKind::io || error.kind == ErrorKind::interrupted) return fail(error);
      check.add({"record",
                 root_partition_.label,
                 image::kSlotRecordPath,
                 {},
                 "what the slot says of itself",
                 error.message});
      return ok();
    };
    // Only what the root hash vouches for.
    const auto tree = disk::read_squashfs(disk_, {root_partition_.start, facts_.root.size});
    if (!tree) return unreadable(tree.error());
    const auto text = text_of(*tree, image::kSlotRecordPath);
    if (!text) return unreadable(text.error());
    auto record = image::read_slot_record(*text);
    if (!record) return unreadable(record.error());
    const auto hostname = text_of(*tree, "etc/hostname");
    if (!hostname) return unreadable(hostname.error());
    facts_.hostname = hostname->substr(0, hostname->find('\n'));
    facts_.record = *std::move(record);
    // The record's own time is the archive's, like those of all files that a build makes.
    record_time_ = tree->find(image::kSlotRecordPath)->mtime;
    check.counted = fmt::format("{}, base {}", facts_.hostname, facts_.record->base.substr(0, 12));
    HashTree squashfs;
    squashfs.size = squashfs_padded_size(disk_, {root_partition_.start, root_partition_.size});
    check_end(root_partition_, facts_.root, squashfs.end(), check);
    return check_superblock(root_partition_, facts_.root, image::kRootImageName, check);
  }

  /// A root hash does not say of how many blocks of data it is: a tree over fewer can have it, too.
  static void check_end(const Partition& here, const HashTree& tree, std::uint64_t expected, Check& check) {
    if (tree.end() == expected) return;
    check.add({"dm-verity: hash tree",
               here.label,
               {},
               here.start + tree.size,
               fmt::format("its end at {} bytes", expected),
               fmt::format("its end at {} bytes", tree.end())});
  }

  Status check_superblock(const Partition& here, const HashTree& tree, const char* name, Check& check) {
    const std::uint64_t at = here.start + tree.size;
    TRY(const std::string found, disk_.read(at, disk::kVerityBlock));
    const image::VerityIds ids = image::verity_ids(facts_.record->base, name);
    add_differences(at, verity_superblock(ids, tree.size / disk::kVerityBlock), found, places_, check);
    return ok();
  }

  const image::PublicPart& part(const char* name) const {
    return *image::find_part(facts_.record->parts, name);  // every record has all of a slot's
  }

  Status check_usr() {
    const Partition& here = usr_partition_;
    Check& check = start_check("/usr");
    HashTree& usr = facts_.usr;
    usr = find_tree(disk_, boot_.slot_config(), {here.start, here.size},
                    "usrhash=", "systemd.verity_usr_options=hash-offset=");
    usr.root_hash = facts_.record->usr_root_hash;
    if (usr.size == 0) {
      check.add(
          {"dm-verity: superblock", here.label, {}, here.start, "a file system with a hash tree", "none"});
      return ok();
    }
    check_end(here, usr, part(image::kUsrPart).size, check);
    const image::VerityIds ids = image::verity_ids(facts_.record->base, image::kUsrImageName);
    TRY(const std::uint64_t blocks,
        check_verity(disk_, {{here.start, usr.size}, usr.root_hash, ids.salt, here.label}, places_, check));
    check.counted = fmt::format("{} blocks under the root hash", blocks);
    return check_superblock(here, usr, image::kUsrImageName, check);
  }

  Status check_boot() {
    const image::VerityImage usr{{}, facts_.usr.size, facts_.usr.root_hash};
    const image::VerityImage root{{}, facts_.root.size, facts_.root.root_hash};
    return boot_.check(disk_,
                       {image::slot_configs(facts_.hostname, usr, root, facts_.record->kernel_arguments),
                        part(image::kKernelPart), part(image::kInitrdPart), facts_.hostname, record_time_},
                       places_, start_check("boot partition"));
  }

  const Disk& disk_;
  const Partition& root_partition_;
  const Partition& usr_partition_;
  const Places& places_;
  const std::string& trusted_root_hash_;
  Report& report_;
  BootPartition boot_;
  SlotFacts facts_;
  bool root_sound_ = false;
  std::int64_t record_time_ = 0;
};

}  // namespace

Result<bool> is_filled(const Disk& disk, const std::vector<Partition>& partitions, std::size_t slot) {
  TRY(const std::string sector,
      disk.read(image::partition_of(partitions, image::kSlots[slot].boot).start, disk::kSectorSize));
  return sector.ends_with("\x55\xaa");
}

Result<SlotFacts> check_slot(const Disk& disk, const std::vector<Partition>& partitions, std::size_t slot,
                             const Places& places, const std::string& root_hash, Report& report) {
  return SlotChain(disk, partitions, slot, places, root_hash, report).run();
}

}  // namespace mailstead::verify
