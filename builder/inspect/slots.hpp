// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/boot_state.hpp"
#include "inspect/disk_image.hpp"

namespace mailstead::inspect {

/// dm-verity's of the two file systems of a slot.
struct RootHashes {
  std::string root;
  std::string usr;
};

/// One of the two sets of boot, usr and root partitions.
struct Slot {
  char name = 'a';
  bool filled = false;                 ///< there is something to start; all below is empty otherwise
  bool first = false;                  ///< the next start tries it before the other one
  std::string kernel_release;          ///< "6.12.57+deb13-cloud-amd64"; empty if the kernel does not say
  std::string command_line;            ///< of the kernel
  std::string root_hash;               ///< dm-verity's, from the command line; empty if it has none
  std::string usr_hash;                ///< likewise
  std::optional<RootHashes> measured;  ///< those of the contents, by measure_root_hashes

  /// The value behind "name=" on the command line, or empty.
  std::string_view argument(std::string_view argument_name) const;
};

/// What the disk says of the slots; nothing if it does not say it as it should, which is as if it named slot
/// A. Errors: there is no EFI system partition; those of Disk::read.
Result<std::optional<image::BootState>> read_boot_state(const DiskImage& image);

/// The slots of an image, a and b. Errors: those of read_fat_file.
Result<std::vector<Slot>> read_slots(const DiskImage& image);

/// The kernel's command line in a slot's file of its boot partition; empty if there is none.
std::string command_line_in(std::string_view slot_config);

/// The release that a Linux kernel says it is: in the bzImage format in its header (kernel_version of
/// Documentation/arch/x86/boot.rst), in an uncompressed Image in its banner; empty for anything else.
std::string kernel_release_in(std::string_view kernel);

}  // namespace mailstead::inspect
