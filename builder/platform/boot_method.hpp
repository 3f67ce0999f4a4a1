// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/architecture.hpp"

namespace mailstead::platform {

/// What starts a machine from its disk. One disk may have several: what each of them does is in boot/. As
/// with architectures, a switch over them has no default.
enum class BootMethod { grub_bios, grub_efi };
inline constexpr std::array kBootMethods = {BootMethod::grub_bios, BootMethod::grub_efi};

/// "grub-bios", as profiles and the record of a disk have it.
const char* name_of(BootMethod method);
std::optional<BootMethod> boot_method_called(std::string_view name);
/// In words, for reports: "legacy BIOS boot".
const char* words_of(BootMethod method);
/// Whether there are machines with this architecture that it starts.
bool fits(BootMethod method, Architecture architecture);

std::vector<std::string> names_of(const std::vector<BootMethod>& methods);
/// Those with these names, which are all there or nothing.
std::optional<std::vector<BootMethod>> boot_methods_called(const std::vector<std::string>& names);
bool contains(const std::vector<BootMethod>& methods, BootMethod method);

/// What records call the code that the method for legacy BIOS puts outside of file systems.
inline constexpr const char* kMbrPart = "mbr";    ///< code in the master boot record
inline constexpr const char* kBiosPart = "bios";  ///< GRUB's core image, at the start of its partition

/// What a machine's firmware is, for virtual ones. With Secure Boot, UEFI starts only what Microsoft's keys
/// have signed (Debian's shim).
enum class Firmware { bios, uefi, uefi_secure_boot };
inline constexpr std::array kFirmwares = {Firmware::bios, Firmware::uefi, Firmware::uefi_secure_boot};
std::optional<Firmware> firmware_called(std::string_view name);
const char* name_of(Firmware firmware);  ///< "bios", "uefi", "uefi-secure-boot"
/// All of them, for messages: "bios|uefi|uefi-secure-boot".
inline constexpr const char* kFirmwareForm = "'firmware bios|uefi|uefi-secure-boot'";
inline constexpr const char* kUefiHelp = "start by UEFI instead of legacy BIOS";

}  // namespace mailstead::platform
