// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "disk/digest.hpp"
#include "disk/fat.hpp"
#include "disk/gpt.hpp"
#include "disk/squashfs.hpp"
#include "disk/verity.hpp"
#include "image/grub.hpp"
#include "image/records.hpp"
#include "verify/boot_partition.hpp"
#include "verify/compare.hpp"
#include "verify/gpt.hpp"
#include "verify/hash_trees.hpp"
#include "verify/root_hash.hpp"
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

class Chain {
 public:
  Chain(const Disk& disk, const Contents& contents, const Places& places,
        const std::string& trusted_root_hash, Report& report)
      : disk_(disk),
        contents_(contents),
        places_(places),
        trusted_root_hash_(trusted_root_hash),
        report_(report) {}

  Status run() {
    TRY(partitions_, image::place_partitions(contents_.layout, ""));
    boot_ = BootPartition::read(disk_, partition(image::kBootNumberA));
    CHECK_OK(check_root());
    if (!trusted_root_hash_.empty()) check_root_hash();
    CHECK_OK(read_record());
    if (record_) {
      CHECK_OK(check_table_copies());
      CHECK_OK(check_usr());
      CHECK_OK(check_boot());
      CHECK_OK(check_esp());
      CHECK_OK(check_bios());
      // The record does not have them: all else has been held against what follows from those in the tables.
      report_.unproved.emplace_back("sizes of the slots' partitions");
    } else {
      report_.unproved.emplace_back(
          "partition table, /usr, boot files: what vouches for them lies in the root file system, which "
          "could not be read");
    }
    return check_empty();
  }

 private:
  const Partition& partition(PartitionNumber number) const {
    return partitions_[static_cast<std::size_t>(number) - 1];
  }

  Check& start_check(std::string name) {
    report_.checks.push_back({std::move(name), {}, {}, 0});
    return report_.checks.back();
  }

  Status check_root() {
    Check& check = start_check("root file system");
    TRY(root_, check_root_tree(disk_, boot_.slot_config(), partition(image::kRootNumberA), places_, check));
    root_sound_ = check.findings.empty();
    return ok();
  }

  /// The one that was named against the one under which the root file system is sound, or, if it is not, the
  /// one that the machine would be started with.
  void check_root_hash() {
    Check& check = start_check("root hash");
    check.counted = trusted_root_hash_;
    if (root_.root_hash != trusted_root_hash_)
      check.add({"root hash",
                 partition(image::kRootNumberA).label,
                 {},
                 {},
                 trusted_root_hash_,
                 root_.root_hash.empty() ? "none" : root_.root_hash});
  }

  Status read_record() {
    if (!root_sound_) return ok();
    Check& check = start_check("record");
    const auto unreadable = [&](const Error& error) -> Status {
      // The machine's fault and not the image's.
      if (error.kind == ErrorKind::io || error.kind == ErrorKind::interrupted) return fail(error);
      check.add({"record",
                 partition(image::kRootNumberA).label,
                 image::kImageRecordPath,
                 {},
                 "what the image says of itself",
                 error.message});
      return ok();
    };
    // Only what the root hash vouches for.
    const auto tree = disk::read_squashfs(disk_, {partition(image::kRootNumberA).start, root_.size});
    if (!tree) return unreadable(tree.error());
    const auto text = text_of(*tree, image::kImageRecordPath);
    if (!text) return unreadable(text.error());
    auto record = image::read_image_record(*text);
    if (!record) return unreadable(record.error());
    const auto hostname = text_of(*tree, "etc/hostname");
    if (!hostname) return unreadable(hostname.error());
    hostname_ = hostname->substr(0, hostname->find('\n'));
    record_ = *std::move(record);
    // The record's own time is the archive's, like those of all files that a build makes.
    record_time_ = tree->find(image::kImageRecordPath)->mtime;
    check.counted = fmt::format("{}, base {}", hostname_, record_->base.substr(0, 12));
    TRY(partitions_, image::place_partitions(contents_.layout, hostname_));
    HashTree squashfs;
    squashfs.size = squashfs_padded_size(
        disk_, {partition(image::kRootNumberA).start, partition(image::kRootNumberA).size});
    check_end(image::kRootNumberA, root_, squashfs.end(), check);
    return check_superblock(image::kRootNumberA, root_, image::kRootImageName, check);
  }

  /// A root hash does not say of how many blocks of data it is: a tree over fewer can have it, too.
  void check_end(PartitionNumber number, const HashTree& tree, std::uint64_t expected, Check& check) {
    if (tree.end() == expected) return;
    const Partition& here = partition(number);
    check.add({"dm-verity: hash tree",
               here.label,
               {},
               here.start + tree.size,
               fmt::format("its end at {} bytes", expected),
               fmt::format("its end at {} bytes", tree.end())});
  }

  Status check_superblock(PartitionNumber number, const HashTree& tree, const char* name, Check& check) {
    const std::uint64_t at = partition(number).start + tree.size;
    TRY(const std::string found, disk_.read(at, disk::kVerityBlock));
    add_differences(at,
                    verity_superblock(image::verity_ids(record_->base, name), tree.size / disk::kVerityBlock),
                    found, places_, check);
    return ok();
  }

  Status check_table_copies() {
    Check& check = start_check("partition table");
    check.counted = fmt::format("2 copies, {} partitions", partitions_.size());
    return check_table(
        disk_, contents_.as_changed(table_of(partitions_, image::disk_uuid(hostname_), contents_.table.end)),
        check);
  }

  const image::PublicPart& part(std::string_view name) const {
    static const image::PublicPart kNone{};
    for (const image::PublicPart& one : record_->parts)
      if (one.name == name) return one;
    return kNone;
  }

  Status check_usr() {
    const Partition& here = partition(image::kUsrNumberA);
    Check& check = start_check("/usr");
    usr_ = find_tree(disk_, boot_.slot_config(), {here.start, here.size},
                     "usrhash=", "systemd.verity_usr_options=hash-offset=");
    usr_.root_hash = record_->usr_root_hash;
    if (usr_.size == 0) {
      check.add(
          {"dm-verity: superblock", here.label, {}, here.start, "a file system with a hash tree", "none"});
      return ok();
    }
    check_end(image::kUsrNumberA, usr_, part(image::kUsrPart).size, check);
    const image::VerityIds ids = image::verity_ids(record_->base, image::kUsrImageName);
    TRY(const std::uint64_t blocks,
        check_verity(disk_, {{here.start, usr_.size}, usr_.root_hash, ids.salt, here.label}, places_, check));
    check.counted = fmt::format("{} blocks under the root hash", blocks);
    return check_superblock(image::kUsrNumberA, usr_, image::kUsrImageName, check);
  }

  Status check_boot() {
    const image::VerityImage usr{{}, usr_.size, usr_.root_hash};
    const image::VerityImage root{{}, root_.size, root_.root_hash};
    return boot_.check(disk_,
                       {image::slot_configs(hostname_, usr, root, record_->kernel_arguments),
                        part(image::kKernelPart), part(image::kInitrdPart), hostname_, record_time_},
                       places_, start_check("boot partition"));
  }

  Status check_esp() {
    const Partition& here = partition(image::kEspNumber);
    Check& check = start_check("EFI system partition");
    TRY(const std::string digest, disk::sha256_hex(disk_, {here.start, here.size}));
    const image::PublicPart& recorded = part(image::kEspPart);
    check.counted = human_size(here.size);
    if (recorded.size == here.size && recorded.sha256 == digest) return ok();
    check.add({"EFI system partition",
               here.label,
               {},
               here.start,
               "SHA-256 " + recorded.sha256,
               "SHA-256 " + digest});
    if (const auto volume = disk::read_any_fat(disk_, {here.start, here.size}))
      return check_fat_copies(disk_, *volume, here, check);
    return ok();
  }

  Status check_bios() {
    Check& check = start_check("legacy BIOS boot");
    TRY(const std::string code, disk_.read(0, disk::kMasterBootCodeSize));
    check_part(part(image::kMbrPart), code.size(), crypto::sha256_hex(code),
               {"master boot record: code", {}, {}, 0, {}, {}}, check);
    const Partition& here = partition(image::kBiosNumber);
    core_size_ = std::min(part(image::kBiosPart).size, here.size);
    TRY(const std::string core, disk_.read(here.start, core_size_));
    check_part(part(image::kBiosPart), core.size(), crypto::sha256_hex(core),
               {"GRUB's core image", here.label, {}, here.start, {}, {}}, check);
    check.counted = fmt::format("{} and {} bytes", code.size(), core.size());
    return ok();
  }

  /// What no structure has for its own.
  Status check_empty() {
    Check& check = start_check("empty space");
    const auto behind = [](const Partition& here, std::uint64_t used) {
      return Extent{here.start + used, here.size - std::min(here.size, used)};
    };
    const auto behind_tree = [&](PartitionNumber number, const HashTree& tree) {
      return tree.size == 0 ? Extent{} : behind(partition(number), tree.end());
    };
    const std::uint64_t table = disk::kTableSectors * disk::kSectorSize;
    std::vector<Extent> empty{{table, partitions_.front().start - table},
                              contents_.tail(),
                              behind_tree(image::kRootNumberA, root_)};
    if (record_) {
      empty.push_back(behind(partition(image::kBiosNumber), core_size_));
      empty.push_back(behind_tree(image::kUsrNumberA, usr_));
    }
    for (const PartitionNumber number : {image::kBootNumberB, image::kUsrNumberB, image::kRootNumberB})
      empty.push_back(behind(partition(number), 0));
    std::uint64_t sum = 0;
    for (const Extent& extent : empty) {
      CHECK_OK(expect_empty(disk_, extent, places_, check));
      sum += extent.size;
    }
    check.counted = human_size(sum);
    return ok();
  }

  const Disk& disk_;
  const Contents& contents_;
  const Places& places_;
  const std::string& trusted_root_hash_;
  Report& report_;
  std::vector<Partition> partitions_;
  BootPartition boot_;
  HashTree root_;
  HashTree usr_;
  bool root_sound_ = false;
  std::optional<image::ImageRecord> record_;
  std::int64_t record_time_ = 0;
  std::string hostname_;
  std::uint64_t core_size_ = 0;
};

}  // namespace

Status check_chain(const Disk& disk, const Contents& contents, const Places& places,
                   const std::string& root_hash, Reporter& reporter, Report& report) {
  const auto activity = reporter.start("Following the root hash");
  CHECK_OK(Chain(disk, contents, places, root_hash, report).run());
  activity->set_result(fmt::format("{} checks", report.checks.size()));
  return ok();
}

}  // namespace mailstead::verify
