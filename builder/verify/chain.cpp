// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "base/run.hpp"
#include "crypto/digest.hpp"
#include "image/bios_boot.hpp"
#include "image/grub.hpp"
#include "image/records.hpp"
#include "verify/boot_partition.hpp"
#include "verify/compare.hpp"
#include "verify/fat.hpp"
#include "verify/gpt.hpp"
#include "verify/squashfs.hpp"
#include "verify/verity.hpp"

namespace mailstead::verify {
namespace {

using image::Partition;
using image::PartitionNumber;

constexpr std::uint64_t kMostRecord = 16u << 20;  // a hundred times what one has
constexpr std::uint64_t kMostMemory = 4ull << 30;

/// What a word of the kernel's command line starts with is followed by.
std::string argument(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(" " + std::string(key));
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + 1 + key.size());
  return std::string(text.substr(0, text.find_first_of(" ,\n")));
}

std::uint64_t to_number(const std::string& text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > (1ull << 50)) return 0;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

class Chain {
 public:
  Chain(const Disk& disk, const image::Layout& layout, const Places& places,
        const std::string& trusted_root_hash, Report& report)
      : disk_(disk),
        layout_(layout),
        places_(places),
        trusted_root_hash_(trusted_root_hash),
        report_(report) {}

  Status run() {
    TRY(partitions_, image::place_partitions(layout_, ""));
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
    } else {
      report_.unproved.emplace_back(
          "partition table, /usr, boot files: what vouches for them lies in the root file system, which "
          "could "
          "not be read");
    }
    return check_empty();
  }

 private:
  /// A file system and its tree, as they lie in their partition.
  struct Tree {
    std::string root_hash;
    std::uint64_t size = 0;  ///< of the data, bytes
  };

  const Partition& partition(PartitionNumber number) const {
    return partitions_[static_cast<std::size_t>(number) - 1];
  }

  Check& start_check(std::string name) {
    report_.checks.push_back({std::move(name), {}, {}, 0});
    return report_.checks.back();
  }

  /// By the offset in slot.cfg, or, if that is damaged, by what the file system says of its size.
  Tree find_tree(PartitionNumber number, std::string_view hash_key, std::string_view options_key) {
    const std::string& config = boot_.slot_config();
    const Partition& here = partition(number);
    Tree tree{argument(config, hash_key), 0};
    for (const std::uint64_t size :
         {to_number(argument(config, options_key)), squashfs_padded_size(disk_, here.start, here.size)}) {
      if (size == 0 || size % kVerityBlock != 0 || size > here.size ||
          size + kVerityBlock + tree_size(size / kVerityBlock) > here.size)
        continue;
      tree.size = size;
      const auto superblock = disk_.read(here.start + size, kVerityBlock);
      if (superblock && superblock->starts_with("verity")) break;
    }
    return tree;
  }

  Status check_root() {
    const Partition& here = partition(image::kRootNumberA);
    root_ = find_tree(image::kRootNumberA, "roothash=", "systemd.verity_root_options=hash-offset=");
    Check& check = start_check("root file system");
    if (root_.size == 0) {
      check.add(
          {"dm-verity: superblock", here.label, {}, here.start, "a file system with a hash tree", "none"});
      return ok();
    }
    // Without the record the salt is not known yet: the one that is there. It is compared later.
    TRY(const std::string superblock, disk_.read(here.start + root_.size, kVerityBlock));
    const auto* salt = reinterpret_cast<const std::uint8_t*>(superblock.data() + 88);
    VerityPlace place{{here.start, root_.size}, root_.root_hash, crypto::to_hex(salt, 32), here.label};
    // If the tree is sound and ends in another hash, it is the command line that is wrong, and found there.
    TRY(const std::string top, disk_.read(place.data.end() + kVerityBlock, kVerityBlock));
    const std::string actual = crypto::sha256_hex(superblock.substr(88, 32) + top);
    Check trial;
    if (actual != root_.root_hash) {
      VerityPlace other = place;
      other.root_hash = actual;
      TRY(const std::uint64_t blocks, check_verity(disk_, other, places_, trial));
      const bool clean = top.find_first_not_of('\0', top_digests(blocks) * 32) == std::string::npos;
      if (trial.findings.empty() && clean) {
        place.root_hash = root_.root_hash = actual;
      } else if (!is_digest(root_.root_hash)) {
        place.root_hash = root_.root_hash = std::string(64, '0');
      }
    }
    TRY(const std::uint64_t blocks, check_verity(disk_, place, places_, check));
    check.counted = fmt::format("{} blocks under the root hash", blocks);
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

  Result<std::string> read_root_file(const char* path) const {
    Command command;
    command.argv = {
        "unsquashfs",          "-o", fmt::format("{}", partition(image::kRootNumberA).start), "-cat",
        disk_.path().string(), path};
    command.timeout = std::chrono::seconds(60);
    command.memory_limit = kMostMemory;
    command.file_size_limit = 0;
    command.output_limit = kMostRecord;
    TRY(CommandOutput output, mailstead::run(command));
    return std::move(output.out);
  }

  Status read_record() {
    if (!root_sound_) return ok();
    Check& check = start_check("record");
    const auto unreadable = [&](const Error& error) {
      check.add({"record",
                 partition(image::kRootNumberA).label,
                 image::kImageRecordPath,
                 {},
                 "what the image says of itself",
                 error.message});
      return ok();
    };
    auto text = read_root_file(image::kImageRecordPath);
    if (!text) return unreadable(text.error());
    auto record = image::read_image_record(*text);
    if (!record) return unreadable(record.error());
    auto hostname = read_root_file("etc/hostname");
    if (!hostname) return unreadable(hostname.error());
    hostname_ = hostname->substr(0, hostname->find('\n'));
    record_ = *std::move(record);
    check.counted = fmt::format("{}, base {}", hostname_, record_->base.substr(0, 12));
    scope_ = image::disk_scope(record_->base, hostname_);
    TRY(partitions_, image::place_partitions(layout_, scope_));
    return check_superblock(image::kRootNumberA, root_, image::kRootImageName, check);
  }

  Status check_superblock(PartitionNumber number, const Tree& tree, const char* name, Check& check) {
    const std::uint64_t at = partition(number).start + tree.size;
    TRY(const std::string found, disk_.read(at, kVerityBlock));
    add_differences(at, verity_superblock(image::verity_ids(record_->base, name), tree.size / kVerityBlock),
                    found, places_, check);
    return ok();
  }

  Status check_table_copies() {
    Check& check = start_check("partition table");
    check.counted = fmt::format("2 copies, {} partitions", partitions_.size());
    return check_table(disk_, encode_table(partitions_, image::disk_uuid(scope_), disk_.size()), check);
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
    usr_ = find_tree(image::kUsrNumberA, "usrhash=", "systemd.verity_usr_options=hash-offset=");
    usr_.root_hash = record_->usr_root_hash;
    if (usr_.size == 0 || !is_digest(usr_.root_hash)) {
      check.add(
          {"dm-verity: superblock", here.label, {}, here.start, "a file system with a hash tree", "none"});
      return ok();
    }
    const image::VerityIds ids = image::verity_ids(record_->base, image::kUsrImageName);
    TRY(const std::uint64_t blocks,
        check_verity(disk_, {{here.start, usr_.size}, usr_.root_hash, ids.salt, here.label}, places_, check));
    check.counted = fmt::format("{} blocks under the root hash", blocks);
    return check_superblock(image::kUsrNumberA, usr_, image::kUsrImageName, check);
  }

  Status check_boot() {
    const image::VerityImage usr{{}, usr_.size, usr_.root_hash};
    const image::VerityImage root{{}, root_.size, root_.root_hash};
    const std::string config =
        image::slot_config(image::kernel_command_line(scope_, usr, root, record_->kernel_arguments));
    report_.unproved.emplace_back(
        "dates and attributes in the directory of the boot partition, and its information sector");
    return boot_.check(disk_, {config, part(image::kKernelPart), part(image::kInitrdPart)}, places_,
                       start_check("boot partition"));
  }

  Status check_esp() {
    const Partition& here = partition(image::kEspNumber);
    Check& check = start_check("EFI system partition");
    crypto::Sha256 hash;
    CHECK_OK(disk_.stream({here.start, here.size}, [&](std::uint64_t, std::string_view block) {
      hash.update(block);
      return ok();
    }));
    const std::string digest = crypto::to_hex(hash.finish());
    const image::PublicPart& recorded = part(image::kEspPart);
    check.counted = human_size(here.size);
    if (recorded.size == here.size && recorded.sha256 == digest) return ok();
    check.add({"EFI system partition",
               here.label,
               {},
               here.start,
               "SHA-256 " + recorded.sha256,
               "SHA-256 " + digest});
    if (const auto volume = read_any_fat(disk_, {here.start, here.size}))
      return check_fat_copies(disk_, *volume, here, check);
    return ok();
  }

  Status check_bios() {
    Check& check = start_check("legacy BIOS boot");
    TRY(const std::string code, disk_.read(0, image::kMbrCodeSize));
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
    const auto behind_tree = [&](PartitionNumber number, const Tree& tree) {
      return tree.size == 0
                 ? Extent{}
                 : behind(partition(number), tree.size + kVerityBlock + tree_size(tree.size / kVerityBlock));
    };
    const std::uint64_t table = kTableSectors * image::kSectorSize;
    const std::uint64_t end = partitions_.back().start + partitions_.back().size;
    std::vector<Extent> empty{{table, partitions_.front().start - table},
                              {end, disk_.size() - end - (table - image::kSectorSize)},
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
  const image::Layout layout_;
  const Places& places_;
  const std::string& trusted_root_hash_;
  Report& report_;
  std::vector<Partition> partitions_;
  BootPartition boot_;
  Tree root_;
  Tree usr_;
  bool root_sound_ = false;
  std::optional<image::ImageRecord> record_;
  std::string hostname_;
  std::string scope_;
  std::uint64_t core_size_ = 0;
};

}  // namespace

Status check_chain(const Disk& disk, const image::Layout& layout, const Places& places,
                   const std::string& root_hash, Reporter& reporter, Report& report) {
  const auto activity = reporter.start("Following the root hash");
  CHECK_OK(Chain(disk, layout, places, root_hash, report).run());
  activity->set_result(fmt::format("{} checks", report.checks.size()));
  return ok();
}

}  // namespace mailstead::verify
