// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mailstead::platform {

/// The processors that appliances and build hosts have. Whoever switches over them has no default, so that a
/// new one is a compile error wherever it needs a case.
enum class Architecture { amd64, arm64 };
inline constexpr std::array kArchitectures = {Architecture::amd64, Architecture::arm64};

/// What others call an architecture, and what is different on it.
struct ArchitectureFacts {
  const char* debian;         ///< dpkg-architecture(1): "amd64"
  std::uint16_t elf_machine;  ///< e_machine of its programs (elf(5))
  const char* triplet;        ///< the folder of its libraries below usr/lib
  const char* loader;         ///< its dynamic loader, below "/"
  /// Whether ldconfig(8) of every architecture that we build on reads its libraries. Without a cache the
  /// loader looks into its own folders, which are those of Debian's packages.
  bool library_cache;
  const char* efi_suffix;      ///< of a loader's name: "x64" (UEFI specification 3.5.1.1, lower case)
  const char* grub_efi;        ///< GRUB's name of it under UEFI: "x86_64-efi"
  const char* usr_type;        ///< GUID of a partition for /usr (Discoverable Partitions Specification)
  const char* root_type;       ///< and for "/"
  const char* serial_console;  ///< Linux's name of the first serial port: "ttyS0"
  const char* qemu_program;    ///< what emulates it
  const char* qemu_machine;    ///< a machine of QEMU's with PCI
  const char* qemu_processor;  ///< the least that Debian runs on
};

const ArchitectureFacts& facts_of(Architecture architecture);

/// By Debian's name; by the e_machine of a program; by the type of a partition for /usr.
std::optional<Architecture> architecture_called(std::string_view debian);
std::optional<Architecture> architecture_of_elf(std::uint16_t machine);
std::optional<Architecture> architecture_of_usr(std::string_view type);

/// That of this program.
Architecture host_architecture();

/// Debian's names of all, for messages: "amd64, arm64".
std::string_view architecture_names();

/// The profile of a spec that names none.
inline constexpr const char* kDefaultProfile = "cloud-amd64";

}  // namespace mailstead::platform
