// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mailstead::boot {

/// GRUB's boot.img made ready for the first sector of a disk whose BIOS boot partition starts at sector
/// `core_sector`: the first 440 bytes, with that sector written in, the BIOS's own drive number trusted, and
/// the check for a floppy's drive number taken out (what grub-bios-setup does for a disk;
/// grub-core/boot/i386/pc/boot.S). Errors (ErrorKind::integrity): `boot_image` is not a boot sector of GRUB.
Result<std::string> patch_boot_image(std::string_view boot_image, std::uint64_t core_sector);

/// GRUB's core.img made ready to lie at `core_sector`: its first sector loads the rest, which follows in one
/// piece (grub-core/boot/i386/pc/diskboot.S). Errors: ErrorKind::integrity if it is not a core image,
/// ErrorKind::tool if it does not fit into `room` bytes.
Result<std::string> patch_core_image(std::string_view core_image, std::uint64_t core_sector,
                                     std::uint64_t room);

}  // namespace mailstead::boot
