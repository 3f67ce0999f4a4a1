// SPDX-License-Identifier: GPL-3.0-or-later
#include "boot/method.hpp"

#include "base/files.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::boot;
using platform::Architecture;
using platform::BootMethod;

namespace {

struct Fixture {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  std::unique_ptr<Reporter> reporter = make_quiet_reporter();
  tools::Toolbox toolbox = tools::Toolbox::make(folder.path(), {}, {}, 0, *reporter).value();
  image::Layout layout;
  rootfs::FileTree files;

  explicit Fixture(platform::Machine machine) {
    layout.machine = std::move(machine);
    for (const std::string& source : sources_of(layout.machine)) {
      rootfs::Inode inode;
      inode.content = rootfs::Content("bytes of " + source);
      REQUIRE(files.put(source, std::move(inode)));
    }
  }
  BootInput input() const { return {layout, files, toolbox, folder.path()}; }
};

std::vector<std::string> paths_of(const std::vector<image::FatFile>& files) {
  std::vector<std::string> paths;
  for (const image::FatFile& file : files) paths.push_back(file.path);
  return paths;
}

}  // namespace

TEST_CASE("A machine with both has each file once, with the names of its architecture") {
  const Fixture fixture({Architecture::amd64, {BootMethod::grub_bios, BootMethod::grub_efi}});
  const auto files = esp_files_of(fixture.input());
  REQUIRE(files);
  CHECK(paths_of(*files) == std::vector<std::string>{"EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/grubx64.efi",
                                                     "EFI/BOOT/mmx64.efi", "EFI/debian/grub.cfg",
                                                     "grub/grub.cfg", "grub/grubenv"});
  CHECK((*files)[1].content.read().value() == "bytes of usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed");
  CHECK(code_files_of(fixture.layout.machine).size() == 2);
}

TEST_CASE("A machine that UEFI alone starts has nothing outside of its file systems") {
  const Fixture fixture({Architecture::arm64, {BootMethod::grub_efi}});
  const auto files = esp_files_of(fixture.input());
  REQUIRE(files);
  CHECK(paths_of(*files) == std::vector<std::string>{"EFI/BOOT/BOOTAA64.EFI", "EFI/BOOT/grubaa64.efi",
                                                     "EFI/BOOT/mmaa64.efi", "EFI/debian/grub.cfg",
                                                     "grub/grub.cfg", "grub/grubenv"});
  CHECK((*files)[0].content.read().value() == "bytes of usr/lib/shim/shimaa64.efi.signed");
  CHECK(code_files_of(fixture.layout.machine).empty());
  CHECK(write_code_of(fixture.input(), fixture.folder.path()));
}

TEST_CASE("A loader that no boot package has is named, with what to do") {
  const Fixture fixture({Architecture::arm64, {BootMethod::grub_efi}});
  const rootfs::FileTree nothing;
  const auto files = esp_files_of({fixture.layout, nothing, fixture.toolbox, fixture.folder.path()});
  REQUIRE_FALSE(files);
  CHECK(files.error().message == "no boot package has usr/lib/shim/shimaa64.efi.signed");
  CHECK(files.error().hint == "add the package that has it to 'boot' in the profile and lock again");
}
