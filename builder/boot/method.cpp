// SPDX-License-Identifier: GPL-3.0-or-later
#include "boot/method.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "image/boot_state.hpp"
#include "image/grub.hpp"

namespace mailstead::boot {

const Method& method_of(platform::BootMethod method) {
  switch (method) {
    case platform::BootMethod::grub_bios:
      return grub_bios();
    case platform::BootMethod::grub_efi:
      return grub_efi();
  }
  __builtin_unreachable();
}

Result<rootfs::Content> content_of(const rootfs::FileTree& files, const std::string& path) {
  const rootfs::Inode* inode = files.find(path);
  if (inode == nullptr)
    return fail(ErrorKind::usage, fmt::format("no boot package has {}", path),
                "add the package that has it to 'boot' in the profile and lock again");
  return inode->content;
}

std::vector<image::FatFile> grub_files() {
  return {{"grub/grub.cfg", rootfs::Content(image::grub_config())},
          {image::kGrubEnvironmentFile, rootfs::Content(image::boot_state_block({}))}};
}

std::vector<std::string> sources_of(const platform::Machine& machine) {
  std::vector<std::string> all;
  for (const platform::BootMethod method : machine.boot)
    for (std::string& source : method_of(method).sources(machine.architecture))
      all.push_back(std::move(source));
  return all;
}

Result<std::vector<image::FatFile>> esp_files_of(const BootInput& input) {
  std::vector<image::FatFile> all;
  for (const platform::BootMethod method : input.layout.machine.boot) {
    TRY(std::vector<image::FatFile> files, method_of(method).esp_files(input));
    for (image::FatFile& file : files) {
      // What several want comes where the last of them has it.
      std::erase_if(all, [&](const image::FatFile& there) { return there.path == file.path; });
      all.push_back(std::move(file));
    }
  }
  return all;
}

std::vector<CodeFile> code_files_of(const platform::Machine& machine) {
  std::vector<CodeFile> all;
  for (const platform::BootMethod method : machine.boot)
    for (const CodeFile& file : method_of(method).code_files()) all.push_back(file);
  return all;
}

Status write_code_of(const BootInput& input, const std::filesystem::path& folder) {
  for (const platform::BootMethod method : input.layout.machine.boot)
    CHECK_OK(method_of(method).write_code(input, folder));
  return ok();
}

Status put_code_of(const platform::Machine& machine, const std::filesystem::path& folder,
                   image::NewDisk& disk) {
  for (const platform::BootMethod method : machine.boot) CHECK_OK(method_of(method).put_code(folder, disk));
  return ok();
}

}  // namespace mailstead::boot
