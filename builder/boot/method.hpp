// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "image/disk.hpp"
#include "image/image.hpp"
#include "platform/boot_method.hpp"
#include "rootfs/file_tree.hpp"
#include "tools/toolbox.hpp"

namespace mailstead::boot {

/// What a boot method works on.
struct BootInput {
  const image::Layout& layout;    ///< of the disk that is to be started, with its machine
  const rootfs::FileTree& files;  ///< those of the boot packages, by their paths there
  const tools::Toolbox& toolbox;
  std::filesystem::path scratch;  ///< existing folder for temporary files
};

/// Something that a boot method puts on the disk beside the EFI system partition.
struct CodeFile {
  const char* name;  ///< of a file of the base
  const char* part;  ///< what records call it (image::PublicPart)
};

/// A way to start a machine from its disk: a file each in this folder. All of them hand over to the file of a
/// slot on its boot partition (image::slot_configs), so that a slot is the same whatever starts it.
class Method {
 public:
  virtual ~Method() = default;

  /// What it takes out of boot packages, by path there: the packages that have it are part of the appliance.
  virtual std::vector<std::string> sources(platform::Architecture architecture) const = 0;

  /// What it wants on the EFI system partition. Errors: no boot package has one of its sources.
  virtual Result<std::vector<image::FatFile>> esp_files(const BootInput& input) const = 0;

  /// What lies elsewhere on the disk. Verification holds it against its digests in the record of the disk.
  virtual std::vector<CodeFile> code_files() const { return {}; }

  /// Makes these files in `folder`.
  virtual Status write_code(const BootInput&, const std::filesystem::path&) const { return ok(); }

  /// Puts them from `folder` onto a disk.
  virtual Status put_code(const std::filesystem::path&, image::NewDisk&) const { return ok(); }
};

const Method& method_of(platform::BootMethod method);

/// Each of the implementations.
const Method& grub_bios();
const Method& grub_efi();

/// A file of the boot packages. Errors (ErrorKind::usage): none has it.
Result<rootfs::Content> content_of(const rootfs::FileTree& files, const std::string& path);

/// What GRUB reads on the EFI system partition, whatever has started it.
std::vector<image::FatFile> grub_files();

/// Of all that can start `machine`: sources and files, each path once.
std::vector<std::string> sources_of(const platform::Machine& machine);
Result<std::vector<image::FatFile>> esp_files_of(const BootInput& input);
std::vector<CodeFile> code_files_of(const platform::Machine& machine);
Status write_code_of(const BootInput& input, const std::filesystem::path& folder);
Status put_code_of(const platform::Machine& machine, const std::filesystem::path& folder,
                   image::NewDisk& disk);

}  // namespace mailstead::boot
