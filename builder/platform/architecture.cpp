// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/architecture.hpp"

#include <elf.h>

#include <algorithm>
#include <string>

namespace mailstead::platform {
namespace {

constexpr ArchitectureFacts kAmd64{
    .debian = "amd64",
    .elf_machine = EM_X86_64,
    .triplet = "x86_64-linux-gnu",
    .loader = "usr/lib64/ld-linux-x86-64.so.2",
    .library_cache = true,
    .efi_suffix = "x64",
    .grub_efi = "x86_64-efi",
    .usr_type = "8484680C-9521-48C6-9C11-B0720656F69E",
    .root_type = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
    .serial_console = "ttyS0",
    .qemu_program = "qemu-system-x86_64",
    .qemu_machine = "q35",
    .qemu_processor = "qemu64",
};

constexpr ArchitectureFacts kArm64{
    .debian = "arm64",
    .elf_machine = EM_AARCH64,
    .triplet = "aarch64-linux-gnu",
    .loader = "usr/lib/ld-linux-aarch64.so.1",
    .library_cache = false,
    .efi_suffix = "aa64",
    .grub_efi = "arm64-efi",
    .usr_type = "B0E01050-EE5F-4390-949A-9101B17104E9",
    .root_type = "B921B045-1DF0-41C3-AF44-4C6F280D3FAE",
    .serial_console = "ttyAMA0",
    .qemu_program = "qemu-system-aarch64",
    .qemu_machine = "virt",
    .qemu_processor = "cortex-a57",
};

template <class Predicate>
std::optional<Architecture> find(Predicate matches) {
  for (const Architecture architecture : kArchitectures)
    if (matches(facts_of(architecture))) return architecture;
  return std::nullopt;
}

}  // namespace

const ArchitectureFacts& facts_of(Architecture architecture) {
  switch (architecture) {
    case Architecture::amd64:
      return kAmd64;
    case Architecture::arm64:
      return kArm64;
  }
  __builtin_unreachable();
}

std::optional<Architecture> architecture_called(std::string_view debian) {
  return find([&](const ArchitectureFacts& facts) { return debian == facts.debian; });
}

std::optional<Architecture> architecture_of_elf(std::uint16_t machine) {
  return find([&](const ArchitectureFacts& facts) { return machine == facts.elf_machine; });
}

std::optional<Architecture> architecture_of_usr(std::string_view type) {
  return find([&](const ArchitectureFacts& facts) { return type == facts.usr_type; });
}

Architecture host_architecture() {
#if defined(__x86_64__)
  return Architecture::amd64;
#elif defined(__aarch64__)
  return Architecture::arm64;
#else
#error "add this architecture to the table"
#endif
}

std::string_view architecture_names() {
  static const std::string all = [] {
    std::string names;
    for (const Architecture architecture : kArchitectures)
      names += (names.empty() ? "" : ", ") + std::string(facts_of(architecture).debian);
    return names;
  }();
  return all;
}

}  // namespace mailstead::platform
