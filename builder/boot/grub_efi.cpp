// SPDX-License-Identifier: GPL-3.0-or-later
// Under UEFI: the firmware, Debian's signed shim, Debian's signed GRUB, EFI/debian/grub.cfg (the place is
// built into it), which goes on with grub/grub.cfg.
#include <fmt/format.h>

#include "boot/method.hpp"

namespace mailstead::boot {
namespace {

struct Loader {
  std::string path;    ///< on the EFI system partition
  std::string source;  ///< in the boot packages
};

std::vector<Loader> loaders_of(platform::Architecture architecture) {
  const platform::ArchitectureFacts& facts = platform::facts_of(architecture);
  const std::string suffix = facts.efi_suffix;
  std::string upper = suffix;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return {{fmt::format("EFI/BOOT/BOOT{}.EFI", upper), fmt::format("usr/lib/shim/shim{}.efi.signed", suffix)},
          {fmt::format("EFI/BOOT/grub{}.efi", suffix),
           fmt::format("usr/lib/grub/{}-signed/grub{}.efi.signed", facts.grub_efi, suffix)},
          {fmt::format("EFI/BOOT/mm{}.efi", suffix), fmt::format("usr/lib/shim/mm{}.efi.signed", suffix)}};
}

class GrubEfi : public Method {
 public:
  std::vector<std::string> sources(platform::Architecture architecture) const override {
    std::vector<std::string> sources;
    for (const Loader& loader : loaders_of(architecture)) sources.push_back(loader.source);
    return sources;
  }

  Result<std::vector<image::FatFile>> esp_files(const BootInput& input) const override {
    std::vector<image::FatFile> files;
    for (const Loader& loader : loaders_of(input.layout.machine.architecture)) {
      TRY(rootfs::Content content, content_of(input.files, loader.source));
      files.push_back({loader.path, std::move(content)});
    }
    files.push_back({"EFI/debian/grub.cfg", rootfs::Content(std::string("set prefix=($root)/grub\n"
                                                                        "source ($root)/grub/grub.cfg\n"))});
    for (image::FatFile& file : grub_files()) files.push_back(std::move(file));
    return files;
  }
};

}  // namespace

const Method& grub_efi() {
  static const GrubEfi method;
  return method;
}

}  // namespace mailstead::boot
