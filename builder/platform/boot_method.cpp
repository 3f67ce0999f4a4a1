// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/boot_method.hpp"

#include <algorithm>

namespace mailstead::platform {

const char* name_of(BootMethod method) {
  switch (method) {
    case BootMethod::grub_bios:
      return "grub-bios";
    case BootMethod::grub_efi:
      return "grub-efi";
  }
  __builtin_unreachable();
}

std::optional<BootMethod> boot_method_called(std::string_view name) {
  for (const BootMethod method : kBootMethods)
    if (name == name_of(method)) return method;
  return std::nullopt;
}

const char* words_of(BootMethod method) {
  switch (method) {
    case BootMethod::grub_bios:
      return "legacy BIOS boot";
    case BootMethod::grub_efi:
      return "UEFI boot";
  }
  __builtin_unreachable();
}

bool fits(BootMethod method, Architecture architecture) {
  switch (method) {
    case BootMethod::grub_bios:
      return architecture == Architecture::amd64;
    case BootMethod::grub_efi:
      return true;
  }
  __builtin_unreachable();
}

std::vector<std::string> names_of(const std::vector<BootMethod>& methods) {
  std::vector<std::string> names;
  for (const BootMethod method : methods) names.emplace_back(name_of(method));
  return names;
}

std::optional<std::vector<BootMethod>> boot_methods_called(const std::vector<std::string>& names) {
  std::vector<BootMethod> methods;
  for (const std::string& name : names) {
    const auto method = boot_method_called(name);
    if (!method) return std::nullopt;
    methods.push_back(*method);
  }
  return methods;
}

bool contains(const std::vector<BootMethod>& methods, BootMethod method) {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

std::optional<Firmware> firmware_called(std::string_view name) {
  for (const Firmware firmware : kFirmwares)
    if (name == name_of(firmware)) return firmware;
  return std::nullopt;
}

const char* name_of(Firmware firmware) {
  switch (firmware) {
    case Firmware::bios:
      return "bios";
    case Firmware::uefi:
      return "uefi";
    case Firmware::uefi_secure_boot:
      return "uefi-secure-boot";
  }
  __builtin_unreachable();
}

}  // namespace mailstead::platform
