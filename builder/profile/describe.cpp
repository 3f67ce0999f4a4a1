// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <string_view>

#include "profile/profile.hpp"

namespace mailstead::profile {
namespace {

/// A list and its length, so that no item can be taken for the next list.
std::string list_text(std::string_view name, const std::vector<std::string>& items) {
  std::string text = fmt::format("{} {}\n", name, items.size());
  for (const std::string& item : items) text += fmt::format(" {}\n", item);
  return text;
}

}  // namespace

std::string describe(const Profile& profile) {
  // Each field is named, so that a new one does not compile until somebody has decided what it changes. The
  // packages are in the lock, and what overlays bring is described as theirs.
  const auto& [name, files, description, suite, architecture, machine, system_packages, initrd_packages,
               tool_packages, boot_packages, overlays, exclude, keep, initrd_exclude, initrd_modules,
               kernel_arguments, esp_size, boot_size, usr_size, root_size, squashfs_compressor,
               squashfs_level, alternatives, diversions] = profile;
  std::string text = fmt::format("profile {}\nsuite {}\narchitecture {}\n", name, suite, architecture);
  text += list_text("starts by", platform::names_of(machine.boot));
  text += list_text("boot", boot_packages);
  text += list_text("exclude", exclude);
  text += list_text("keep", keep);
  text += list_text("initrd exclude", initrd_exclude);
  text += list_text("initrd modules", initrd_modules);
  text += list_text("kernel arguments", kernel_arguments);
  text += fmt::format("sizes {} {} {} {}\n", esp_size, boot_size, usr_size, root_size);
  text += fmt::format("squashfs {} {}\n", squashfs_compressor, squashfs_level);
  for (const auto& [link, target] : alternatives) text += fmt::format("alternative {} {}\n", link, target);
  for (const auto& [path, diversion] : diversions)
    text += fmt::format("diversion {} {} {}\n", path, diversion.to, diversion.package);
  return text;
}

}  // namespace mailstead::profile
