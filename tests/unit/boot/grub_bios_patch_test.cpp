// SPDX-License-Identifier: GPL-3.0-or-later
#include "boot/grub_bios_patch.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::boot;

namespace {

/// A boot sector with what GRUB's boot.S has at fixed places (include/grub/i386/pc/boot.h): at 0x5c the
/// sector of the core image (1 as built), at 0x64 the drive (0xff: the BIOS's own), at 0x66 a jump over the
/// check for a floppy's drive number, the signature at the end. All else is the byte 0xcc.
std::string boot_sector() {
  std::string sector(512, '\xcc');
  sector.replace(0x5c, 8, std::string("\x01\0\0\0\0\0\0\0", 8));
  sector[0x64] = '\xff';
  sector.replace(0x66, 2, "\xeb\x05");
  sector.replace(510, 2, "\x55\xaa");
  return sector;
}

/// A core image of `size` bytes: diskboot.S ends in the first sector's last 12 bytes with one block list
/// entry, as grub-mkimage leaves it.
std::string core_image(std::size_t size) {
  std::string core(size, '\xcc');
  core.replace(500, 12, std::string("\x02\0\0\0\0\0\0\0\0\0\x20\x08", 12));
  return core;
}

}  // namespace

TEST_CASE("The boot image gets the core image's sector and nothing else that it has changes") {
  const auto patched = patch_boot_image(boot_sector(), 0x0807060504030201);
  REQUIRE(patched);
  std::string expected(440, '\xcc');
  expected.replace(0x5c, 8, "\x01\x02\x03\x04\x05\x06\x07\x08");
  expected[0x64] = '\xff';
  expected.replace(0x66, 2, "\x90\x90");  // two times nop
  CHECK(*patched == expected);
}

TEST_CASE("The BIOS's own drive number is trusted even if the boot image was built for another") {
  std::string sector = boot_sector();
  sector[0x64] = '\x80';
  const auto patched = patch_boot_image(sector, 4096);
  REQUIRE(patched);
  CHECK((*patched)[0x64] == '\xff');
}

TEST_CASE("What is not GRUB's boot sector is refused") {
  const auto refusal = [](const std::string& bytes) -> std::string {
    const auto patched = patch_boot_image(bytes, 2048);
    if (patched) return "accepted";
    CHECK(patched.error().kind == ErrorKind::integrity);
    return patched.error().message;
  };
  const std::string kRefused = "boot.img is not a boot sector of GRUB";
  CHECK(refusal("") == kRefused);
  CHECK(refusal(boot_sector().substr(0, 511)) == kRefused);
  CHECK(refusal(boot_sector() + '\0') == kRefused);
  std::string unsigned_sector = boot_sector();
  unsigned_sector[511] = '\0';
  CHECK(refusal(unsigned_sector) == kRefused);
  std::string without_jump = boot_sector();
  without_jump[0x66] = '\x90';
  CHECK(refusal(without_jump) == kRefused);
}

TEST_CASE("The core image's first sector lists the rest as one piece right behind it") {
  struct Case {
    std::size_t size;
    const char* count;  // sectors after the first, 16 bits
  };
  // A last sector that is not full is loaded whole.
  for (const auto& [size, count] : {Case{1024, "\x01\x00"}, Case{1025, "\x02\x00"}, Case{1536, "\x02\x00"},
                                    Case{513, "\x01\x00"}, Case{300 * 512, "\x2b\x01"}}) {
    INFO("core image of " << size << " bytes");
    const std::string core = core_image(size);
    const auto patched = patch_core_image(core, 0x1234, 1u << 20);
    REQUIRE(patched);
    std::string expected = core;
    // sector, count, and the segment 0x820: 0x8000, where diskboot.S runs, and its own 512 bytes
    expected.replace(
        500, 12, std::string("\x35\x12\0\0\0\0\0\0", 8) + std::string(count, 2) + std::string("\x20\x08"));
    CHECK(*patched == expected);
  }
}

TEST_CASE("A core image that is too short or does not fit is refused") {
  for (const std::size_t size : {0, 1, 511, 512}) {
    const auto patched = patch_core_image(std::string(size, 'x'), 2048, 1u << 20);
    REQUIRE_FALSE(patched);
    CHECK(patched.error().kind == ErrorKind::integrity);
    CHECK(patched.error().message == "core.img is too short to be a core image of GRUB");
  }
  CHECK(patch_core_image(core_image(1u << 20), 2048, 1u << 20));
  const auto patched = patch_core_image(core_image((1u << 20) + 1), 2048, 1u << 20);
  REQUIRE_FALSE(patched);
  CHECK(patched.error().kind == ErrorKind::tool);
  CHECK(patched.error().message == "GRUB's core image has 1.0 MB, the BIOS boot partition 1.0 MB");
}
