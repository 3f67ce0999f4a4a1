// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/site_image.hpp"

#include <fmt/format.h>

#include <functional>

#include "base/files.hpp"
#include "base/threads.hpp"
#include "boot/method.hpp"
#include "crypto/digest.hpp"
#include "image/disk.hpp"
#include "image/grub.hpp"
#include "image/partitions.hpp"
#include "image/records.hpp"
#include "image/verity.hpp"
#include "rootfs/archive_writer.hpp"
#include "tools/scratch.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

Result<rootfs::Content> content_of(const fs::path& path) {
  TRY(std::string bytes, read_file(path));
  return rootfs::Content(std::move(bytes));
}

/// What a disk that is made with this base says of itself.
std::string disk_record(const BaseInput& input, const Base& base) {
  return image::to_json(
      image::DiskRecord{base.id, layout_of(input.platform.profile), image::disk_parts(base.parts)});
}

/// Lays into the root file system what vouches for the rest of the slot, and of a disk that is made with it.
Status put_record(const BaseInput& input, const Base& base, rootfs::FileTree& tree) {
  rootfs::Inode inode;
  inode.mtime = input.lock.archive_time;
  inode.origin = "site";
  inode.content = rootfs::Content(image::to_json(image::SlotRecord{
      base.id, base.usr.root_hash, image::slot_parts(base.parts), input.platform.profile.kernel_arguments,
      crypto::sha256_hex(disk_record(input, base))}));
  return tree.put(image::kSlotRecordPath, std::move(inode));
}

Result<image::VerityImage> write_root(const spec::Site& site, const BaseInput& input, const Base& base,
                                      const fs::path& scratch) {
  TRY(const rootfs::FileTree tree, compose_root(site, input, base));
  const image::SquashfsOptions options{input.platform.profile.squashfs_compressor,
                                       input.platform.profile.squashfs_level, input.lock.archive_time};
  CHECK_OK(image::write_squashfs(tree, options, input.toolbox, scratch / image::kRootImageName));
  return image::append_verity(scratch / image::kRootImageName, base.id, input.toolbox);
}

/// The file system of a boot partition, but for what names the root hashes.
Status begin_boot(const BaseInput& input, const Base& base, const std::string& hostname,
                  const fs::path& boot) {
  TRY(rootfs::Content kernel, content_of(base.kernel));
  TRY(rootfs::Content initrd, content_of(base.initrd));
  return image::write_fat(image::boot_files(std::move(kernel), std::move(initrd)),
                          input.platform.profile.boot_size, image::kBootFatLabel, hostname,
                          input.lock.archive_time, input.toolbox, boot);
}

/// The disk with all that it has of its base.
Result<image::NewDisk> begin_disk(const BaseInput& input, const Base& base, const std::string& hostname,
                                  const fs::path& image) {
  std::vector<fs::path> files{base.esp, base.kernel, base.initrd, base.usr.file, base.root};
  for (const boot::CodeFile& file : boot::code_files_of(input.platform.profile.machine))
    files.push_back(base.folder / file.name);
  const std::uint64_t needed = 2 * image::kMebibyte + image::allocated_bytes(files);
  TRY(image::NewDisk disk,
      image::NewDisk::create(layout_of(input.platform.profile), hostname, input.toolbox, image, needed));
  CHECK_OK(disk.fill(image::kEspNumber, base.esp));
  CHECK_OK(disk.fill(image::kUsrNumberA, base.usr.file));
  CHECK_OK(boot::put_code_of(input.platform.profile.machine, base.folder, disk));
  CHECK_OK(disk.add_record(disk_record(input, base)));
  return disk;
}

}  // namespace

Result<rootfs::FileTree> compose_root(const spec::Site& site, const BaseInput& input, const Base& base) {
  TRY(rootfs::FileTree tree, rootfs::read_tar(base.root));
  TRY(const rootfs::FileTree units, rootfs::read_tar(base.units));
  CHECK_OK(render::render_site(site, input.platform.overlays, input.platform.accounts,
                               input.lock.archive_time, units, tree));
  CHECK_OK(put_record(input, base, tree));
  return tree;
}

Result<SiteImage> write_site_image(const spec::Site& site, const BaseInput& input, const Base& base,
                                   const fs::path& image, const std::function<Status()>& approve,
                                   Reporter& reporter) {
  const auto activity = reporter.start("Writing the site's image");
  const profile::Profile& profile = input.platform.profile;
  TRY(const tools::ScratchFolder scratch, tools::ScratchFolder::create(input.platform.cache / "scratch"));
  // Nine tenths of the disk are the base's and do not wait for the site's own part.
  auto begun = beside([&] { return begin_disk(input, base, site.hostname, image); });
  const fs::path boot = scratch.path() / "boot.img";
  auto booting = beside([&] { return begin_boot(input, base, site.hostname, boot); });
  TRY(const image::VerityImage root, write_root(site, input, base, scratch.path()));
  std::vector<image::FatFile> configs;
  for (auto& [file, text] : image::slot_configs(site.hostname, base.usr, root, profile.kernel_arguments))
    configs.push_back({file, rootfs::Content(text)});
  CHECK_OK(booting.get());
  CHECK_OK(image::add_to_fat(configs, input.lock.archive_time, input.toolbox, boot));

  TRY(image::NewDisk disk, begun.get());
  CHECK_OK(disk.fill(image::kBootNumberA, boot));
  CHECK_OK(disk.fill(image::kRootNumberA, root.file));
  CHECK_OK(approve());
  CHECK_OK(disk.keep(image));
  activity->set_result(image.string());
  return SiteImage{root.root_hash};
}

}  // namespace mailstead::pipeline
