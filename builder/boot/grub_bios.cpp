// SPDX-License-Identifier: GPL-3.0-or-later
// Under legacy BIOS: master boot record, GRUB's core image in the BIOS boot partition, grub/grub.cfg of the
// EFI system partition. Both pieces of code know the places of each other, so they are for disks of one
// layout.
#include <fmt/format.h>

#include "base/files.hpp"
#include "boot/grub_bios_patch.hpp"
#include "boot/method.hpp"
#include "image/partitions.hpp"
#include "image/records.hpp"
#include "tools/folder.hpp"

namespace mailstead::boot {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTarget = "i386-pc";
constexpr const char* kModules = "usr/lib/grub/i386-pc";
constexpr const char* kBootCode = "mbr.bin";
constexpr const char* kCoreImage = "core.img";

class GrubBios : public Method {
 public:
  std::vector<std::string> sources(platform::Architecture) const override {
    return {std::string(kModules) + "/boot.img"};
  }

  Result<std::vector<image::FatFile>> esp_files(const BootInput&) const override { return grub_files(); }

  std::vector<CodeFile> code_files() const override {
    return {{kBootCode, image::kMbrPart}, {kCoreImage, image::kBiosPart}};
  }

  Status write_code(const BootInput& input, const fs::path& folder) const override {
    TRY(const TemporaryDirectory modules, TemporaryDirectory::create(input.scratch));
    CHECK_OK(tools::write_folder(input.files.subtree(kModules), modules.path()));
    const fs::path core_image = folder / kCoreImage;
    // The comma makes it the disk that the BIOS started from.
    TRY(const Command command,
        input.toolbox.command(
            "grub-mkimage", {"-O",       kTarget,
                             "-d",       modules.path().string(),
                             "-p",       fmt::format("(,gpt{})/grub", static_cast<int>(platform::kEspNumber)),
                             "-o",       core_image.string(),
                             "biosdisk", "part_gpt",
                             "fat",      "normal",
                             "linux",    "configfile",
                             "echo",     "test",
                             "search",   "loadenv",
                             "regexp",   "serial",
                             "terminal", "halt",
                             "reboot",   "sleep",
                             "minicmd",  "ls",
                             "cat"}));
    CHECK_OK(run(command));

    TRY(const std::vector<image::Partition> partitions, image::place_partitions(input.layout, ""));
    const image::Partition& bios = image::partition_of(partitions, platform::kBiosNumber);
    const std::uint64_t sector = bios.start / image::kSectorSize;
    TRY(const rootfs::Content boot_image, content_of(input.files, std::string(kModules) + "/boot.img"));
    TRY(const std::string boot, boot_image.read());
    TRY(const std::string code, patch_boot_image(boot, sector));
    CHECK_OK(write_file(folder / kBootCode, code));
    TRY(const std::string core, read_file(core_image));
    TRY(const std::string patched, patch_core_image(core, sector, bios.size));
    return write_file(core_image, patched);
  }

  Status put_code(const fs::path& folder, image::NewDisk& disk) const override {
    CHECK_OK(disk.fill(platform::kBiosNumber, folder / kCoreImage));
    return disk.add_boot_code(folder / kBootCode);
  }
};

}  // namespace

const Method& grub_bios() {
  static const GrubBios method;
  return method;
}

}  // namespace mailstead::boot
