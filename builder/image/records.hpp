// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/image.hpp"

namespace mailstead::image {

/// Where an appliance says what it is, below "/". The first lies in /usr and is the same on every appliance
/// with that base, the second lies in the root file system of a slot. What a disk says of itself lies behind
/// the file system of its EFI system partition: disk_record_place().
inline constexpr const char* kBaseRecordPath = "usr/share/mailstead/base.json";
inline constexpr const char* kSlotRecordPath = "etc/mailstead/slot.json";

/// Of what programs keep in /var. Raised by one when a new version of one of them keeps what the version
/// before cannot read any more: an appliance does not touch what a later format has, and has put its own on
/// the data partition once it has proved itself.
inline constexpr std::int64_t kStateFormat = 1;

/// A package whose files are in the appliance.
struct RecordedPackage {
  std::string name;
  std::string version;
  std::string architecture;
  std::string archive;    ///< "debian" or "debian-security"
  std::string pool_path;  ///< below that archive
  std::string sha256;     ///< of the .deb
  bool system = false;    ///< its files are in /usr or the root file system
  bool initrd = false;    ///< its files are in the initrd
  bool boot = false;      ///< its files are among what starts the machine
};

/// What the public part of an appliance is made from.
struct BaseRecord {
  std::string identity;           ///< 64 hexadecimal digits: see pipeline::BaseId
  std::string mailstead_version;  ///< of the program that made it
  std::string profile;
  std::string suite;
  std::string architecture;
  std::int64_t archive_time = 0;  ///< of the lock, seconds since the epoch
  std::int64_t state_format = 0;  ///< kStateFormat of that program
  std::vector<RecordedPackage> packages;
};

/// The files of a boot partition beside those that a boot method wants.
inline constexpr const char* kKernelFile = "vmlinuz";
inline constexpr const char* kInitrdFile = "initrd.img";

/// A piece of the disk that is the same on every appliance with one base.
struct PublicPart {
  std::string name;  ///< one of the constants below
  std::uint64_t size = 0;
  std::string sha256;
};
inline constexpr const char* kUsrPart =
    "usr";  ///< squashfs with its hash tree, at the start of its partition
inline constexpr const char* kKernelPart = "kernel";  ///< kKernelFile of a boot partition
inline constexpr const char* kInitrdPart = "initrd";  ///< kInitrdFile of a boot partition
inline constexpr const char* kEspPart = "esp";        ///< file system of the EFI system partition
using platform::kBiosPart;
using platform::kMbrPart;

/// What of a slot is neither in its root file system nor derived from it: with this, dm-verity over the root
/// file system vouches for every byte of the slot, whichever disk it is on.
struct SlotRecord {
  std::string base;  ///< identity
  std::string usr_root_hash;
  std::vector<PublicPart> parts;              ///< /usr, kernel, initrd
  std::vector<std::string> kernel_arguments;  ///< what follows the root hashes on the kernel's command line
  /// SHA-256 of the record of a disk that is made with this base. A disk that was made with another has
  /// another record, for which this slot does not vouch.
  std::string disk_sha256;
};

/// What is on a disk beside its slots: no update of a slot changes it.
struct DiskRecord {
  std::string base;  ///< identity of the one that the disk was made with
  Layout layout;
  std::vector<PublicPart> parts;  ///< EFI system partition; for the legacy BIOS boot code and core image
};

/// What is public of an appliance, for comparisons.
struct PublicDigests {
  std::string base;
  std::string usr_root_hash;
  std::vector<PublicPart> parts;  ///< in the order of the constants above
};

/// The part with this name; null if there is none.
const PublicPart* find_part(const std::vector<PublicPart>& parts, std::string_view name);

/// Of `parts` those that a slot has, and those that a disk has beside its slots.
std::vector<PublicPart> slot_parts(const std::vector<PublicPart>& parts);
std::vector<PublicPart> disk_parts(const std::vector<PublicPart>& parts);

/// The records as JSON. Equal records give equal bytes.
std::string to_json(const BaseRecord& record);
std::string to_json(const SlotRecord& record);
std::string to_json(const DiskRecord& record);

/// Reads what to_json wrote. The text is hostile: digests have 64 lower-case digits, names, versions,
/// architectures and paths of packages the forms of lock/grammar.hpp, packages and parts are sorted, each
/// there once, and no part is missing but those for the legacy BIOS, which are both there or neither; users
/// of a record need not look at that again. Errors (ErrorKind::integrity): anything else; they name the
/// record, the field and what is wrong with it.
Result<BaseRecord> read_base_record(std::string_view json);
Result<SlotRecord> read_slot_record(std::string_view json);
/// `room` is all of what is at disk_record_place(): the record, and zeros.
Result<DiskRecord> read_disk_record(std::string_view room);
/// The text of the record in `room`: what comes before the zeros.
std::string_view disk_record_text(std::string_view room);

}  // namespace mailstead::image
