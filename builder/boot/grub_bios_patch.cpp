// SPDX-License-Identifier: GPL-3.0-or-later
#include "boot/grub_bios_patch.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "image/disk.hpp"
#include "image/partitions.hpp"

namespace mailstead::boot {
namespace {

// include/grub/i386/pc/boot.h
constexpr std::size_t kKernelSectorOffset = 0x5c;  // 64 bits
constexpr std::size_t kBootDriveOffset = 0x64;
constexpr std::size_t kDriveCheckOffset = 0x66;  // a jump of two bytes
constexpr std::size_t kBlockListOffset =
    image::kSectorSize - 12;  // sector, 64 bits; count, 16 bits; segment, 16 bits
// diskboot.S itself is loaded to 0x8000; the rest goes right behind it.
constexpr std::uint64_t kRestSegment = 0x820;

void put_little_endian(std::string& bytes, std::size_t offset, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) bytes[offset + i] = static_cast<char>((value >> (8 * i)) & 0xff);
}

}  // namespace

Result<std::string> patch_boot_image(std::string_view boot_image, std::uint64_t core_sector) {
  if (boot_image.size() != image::kSectorSize || boot_image.substr(510) != "\x55\xaa" ||
      boot_image[kDriveCheckOffset] != '\xeb')
    return fail(ErrorKind::integrity, "boot.img is not a boot sector of GRUB");
  std::string code(boot_image.substr(0, image::kBootCodeSize));
  put_little_endian(code, kKernelSectorOffset, core_sector, 8);
  code[kBootDriveOffset] = '\xff';
  code[kDriveCheckOffset] = '\x90';
  code[kDriveCheckOffset + 1] = '\x90';
  return code;
}

Result<std::string> patch_core_image(std::string_view core_image, std::uint64_t core_sector,
                                     std::uint64_t room) {
  const std::uint64_t sectors = (core_image.size() + image::kSectorSize - 1) / image::kSectorSize;
  if (sectors < 2) return fail(ErrorKind::integrity, "core.img is too short to be a core image of GRUB");
  if (core_image.size() > room)
    return fail(ErrorKind::tool, fmt::format("GRUB's core image has {}, the BIOS boot partition {}",
                                             human_size(core_image.size()), human_size(room)));
  std::string core(core_image);
  put_little_endian(core, kBlockListOffset, core_sector + 1, 8);
  put_little_endian(core, kBlockListOffset + 8, sectors - 1, 2);
  put_little_endian(core, kBlockListOffset + 10, kRestSegment, 2);
  return core;
}

}  // namespace mailstead::boot
