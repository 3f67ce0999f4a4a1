// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/slots.hpp"

#include <algorithm>

#include "image/grub.hpp"
#include "image/image.hpp"
#include "image/records.hpp"

namespace mailstead::inspect {
namespace {

constexpr std::uint64_t kMostConfig = 64 * 1024;

/// Whether a partition begins as a FAT file system does.
Result<bool> has_boot_sector(const DiskImage& image, const Partition& partition) {
  TRY(const std::string sector, image.disk().read(partition.start, disk::kSectorSize));
  return sector.ends_with("\x55\xaa");
}

}  // namespace

std::string_view Slot::argument(std::string_view argument_name) const {
  std::string_view rest = command_line;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!word.starts_with(argument_name)) continue;
    word.remove_prefix(argument_name.size());
    if (word.starts_with('=')) return word.substr(1);
  }
  return {};
}

std::string command_line_in(std::string_view slot_config) {
  constexpr std::string_view kCommand = "linux ($root)/vmlinuz ";
  const auto start = slot_config.find(kCommand);
  if (start == std::string_view::npos) return {};
  slot_config.remove_prefix(start + kCommand.size());
  return std::string(slot_config.substr(0, slot_config.find('\n')));
}

std::string kernel_release_in(std::string_view kernel) {
  constexpr std::size_t kMagicOffset = 0x202;
  constexpr std::size_t kVersionOffset = 0x20e;  // 16 bits, counted from 0x200
  const std::string_view blanks(" \0", 2);
  if (kernel.size() < 0x210 || kernel.substr(kMagicOffset, 4) != "HdrS") {
    constexpr std::string_view kBanner = "Linux version ";
    const auto banner = kernel.find(kBanner);
    if (banner == std::string_view::npos) return {};
    const std::string_view text = kernel.substr(banner + kBanner.size(), 256);
    return std::string(text.substr(0, text.find_first_of(blanks)));
  }
  const auto byte = [&](std::size_t at) { return std::size_t{static_cast<std::uint8_t>(kernel[at])}; };
  const std::size_t at = 0x200 + (byte(kVersionOffset) | byte(kVersionOffset + 1) << 8);
  if (at >= kernel.size()) return {};
  const std::string_view text = kernel.substr(at, 256);
  return std::string(text.substr(0, text.find_first_of(blanks)));
}

Result<std::optional<image::BootState>> read_boot_state(const DiskImage& image) {
  TRY(const Partition esp, image.partition(image::kEspLabel));
  if (esp.size < image::kBootStateFromEnd) return std::optional<image::BootState>();
  TRY(const std::string block,
      image.disk().read(esp.start + esp.size - image::kBootStateFromEnd, image::kBootStateSize));
  return image::read_boot_state(block);
}

Result<std::vector<Slot>> read_slots(const DiskImage& image) {
  TRY(const auto state, read_boot_state(image));
  const char next = state.value_or(image::BootState()).next();
  std::vector<Slot> slots;
  for (const std::size_t i : {0u, 1u}) {
    Slot slot;
    slot.name = i == 0 ? 'a' : 'b';
    slot.first = next == slot.name;
    TRY(const Partition boot, image.partition(image::kBootLabels[i]));
    TRY(slot.filled, has_boot_sector(image, boot));
    if (slot.filled) {
      TRY(const std::string config, image.read_fat_file(boot, image::slot_config_file(i), kMostConfig));
      TRY(const std::string kernel, image.read_fat_file(boot, image::kKernelFile, kMostBootFile));
      slot.command_line = command_line_in(config);
      slot.kernel_release = kernel_release_in(kernel);
      slot.root_hash = slot.argument("roothash");
      slot.usr_hash = slot.argument("usrhash");
    }
    slots.push_back(std::move(slot));
  }
  return slots;
}

}  // namespace mailstead::inspect
