// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/image.hpp"
#include "rootfs/file_tree.hpp"
#include "tools/toolbox.hpp"

namespace mailstead::image {

/// What GRUB reads, whatever has started it (boot/): grub/grub.cfg of the EFI system partition chooses the
/// slot and hands over to the file of that slot on its boot partition.

/// The files of a slot's boot partition that come from the base.
std::vector<FatFile> boot_files(rootfs::Content kernel, rootfs::Content initrd);

/// What GRUB reads first on a boot partition: what to start, and how. There is one for each slot, whichever
/// the partition belongs to, so that the same bytes serve both.
struct SlotConfig {
  std::string file;  ///< "slot-a.cfg"
  std::string text;
};

/// The name of a slot's file, `slot` being 0 for A and 1 for B.
std::string slot_config_file(std::size_t slot);

/// grub/grub.cfg: starts the slot that the boot state names (boot_state.hpp), and counts a trial down before;
/// if that one cannot be started, the other one is.
std::string grub_config();

/// Where GRUB keeps the boot state, on the EFI system partition.
inline constexpr const char* kGrubEnvironmentFile = "grub/grubenv";

/// The kernel's command line for a slot of a site's disk (kernel-command-line(7),
/// systemd-veritysetup-generator(8)).
std::string kernel_command_line(const std::string& hostname, std::size_t slot, const VerityImage& usr,
                                const VerityImage& root, const std::vector<std::string>& arguments);

/// The last files of a boot partition, those of A and B.
std::vector<SlotConfig> slot_configs(const std::string& hostname, const VerityImage& usr,
                                     const VerityImage& root, const std::vector<std::string>& arguments);

}  // namespace mailstead::image
