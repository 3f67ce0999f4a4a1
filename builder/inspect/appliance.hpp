// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "disk/digest.hpp"
#include "image/records.hpp"
#include "inspect/disk_image.hpp"
#include "inspect/dpkg_status.hpp"
#include "inspect/services.hpp"
#include "inspect/slots.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::inspect {

/// A package of the appliance: what the image's record and its package database say.
struct InstalledPackage {
  image::RecordedPackage record;
  DpkgEntry dpkg;
};

/// What the public part of an image says of itself.
struct PublicFacts {
  image::BaseRecord base;
  std::vector<InstalledPackage> packages;  ///< in the order of the record
};

struct MeasuredPartition {
  Partition partition;
  std::optional<disk::Measured> measured;  ///< not of the data partition, which is no part of an image
};

/// What an image is. All but partitions and slots is said of the slot that starts first, if it is filled,
/// else of the other one.
struct Appliance {
  std::string file;  ///< its name as given
  std::uint64_t size = 0;
  std::string hostname;
  PublicFacts facts;
  image::SlotRecord record;
  image::DiskRecord disk_record;
  std::vector<MeasuredPartition> partitions;   ///< in the order of places on the disk
  std::vector<Slot> slots;                     ///< a and b
  std::optional<image::BootState> boot_state;  ///< nothing if it is damaged: see read_boot_state
  std::size_t current = 0;                     ///< index of the slot that all else is said of
  std::vector<std::string> units;              ///< see enabled_units
  std::vector<OpenPort> ports;
  rootfs::FileTree root;  ///< the root file system
};

/// The recorded packages, in their order, each with its entry of the package database (see read_dpkg_status).
/// Errors (ErrorKind::integrity): the two do not have the same packages in the same versions.
Result<std::vector<InstalledPackage>> match_packages(const std::vector<image::RecordedPackage>& recorded,
                                                     std::map<std::string, DpkgEntry> entries);

/// The slot that GRUB would end up with: the one that starts first, if it is filled, else the other one.
/// Errors: both are empty.
Result<std::size_t> current_slot(const std::vector<Slot>& slots);

/// Reads the image through and its file systems as far as needed. Errors (ErrorKind::integrity): a partition
/// table, a file system or a record that is not what Mailstead writes; ErrorKind::tool.
Result<Appliance> read_appliance(const DiskImage& image);

/// The public facts alone: takes a moment.
Result<PublicFacts> read_public_facts(const DiskImage& image);

/// Those that the packet filter of that slot lets in, and nothing else: without hashing.
Result<std::vector<OpenPort>> read_open_ports(const DiskImage& image);

}  // namespace mailstead::inspect
