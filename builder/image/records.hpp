// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::image {

/// Where an image says what it is, below "/". The first lies in /usr and is the same on every appliance with
/// that base, the second lies in the root file system.
inline constexpr const char* kBaseRecordPath = "usr/share/mailstead/base.json";
inline constexpr const char* kImageRecordPath = "etc/mailstead/image.json";

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
  std::vector<RecordedPackage> packages;
};

/// A piece of the disk that is the same on every appliance with one base.
struct PublicPart {
  std::string name;  ///< one of the constants below
  std::uint64_t size = 0;
  std::string sha256;
};
inline constexpr const char* kUsrPart =
    "usr";  ///< squashfs with its hash tree, at the start of its partition
inline constexpr const char* kKernelPart = "kernel";  ///< vmlinuz of a boot partition
inline constexpr const char* kInitrdPart = "initrd";  ///< initrd.img of a boot partition
inline constexpr const char* kEspPart = "esp";        ///< the whole partition
inline constexpr const char* kMbrPart = "mbr";        ///< code in the master boot record
inline constexpr const char* kBiosPart = "bios";      ///< GRUB's core image, at the start of its partition

/// What of a disk is neither in the root file system nor derived from it: with this, dm-verity over the root
/// file system vouches for every byte that starts the machine.
struct ImageRecord {
  std::string base;  ///< identity
  std::string usr_root_hash;
  std::vector<PublicPart> parts;              ///< in the order of the constants above
  std::vector<std::string> kernel_arguments;  ///< what follows the root hashes on the kernel's command line
};

/// The records as JSON. Equal records give equal bytes.
std::string to_json(const BaseRecord& record);
std::string to_json(const ImageRecord& record);

/// Reads what to_json wrote. The text is hostile: digests have 64 lower-case digits, names, versions,
/// architectures and paths of packages the forms of lock/grammar.hpp, packages and parts are sorted, each
/// there once, and no part is missing but those for the legacy BIOS; users of a record need not look at that
/// again. Errors (ErrorKind::integrity): anything else; they name the record, the field and what is wrong
/// with it.
Result<BaseRecord> read_base_record(std::string_view json);
Result<ImageRecord> read_image_record(std::string_view json);

}  // namespace mailstead::image
