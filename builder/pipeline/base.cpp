// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/base.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/program.hpp"
#include "base/threads.hpp"
#include "boot/method.hpp"
#include "image/grub.hpp"
#include "image/initrd.hpp"
#include "pipeline/base_files.hpp"
#include "rootfs/accounts.hpp"
#include "rootfs/archive_writer.hpp"
#include "rootfs/compose.hpp"
#include "rootfs/scripts.hpp"
#include "rootfs/var.hpp"
#include "tools/generate.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

/// Packages without reviewed scripts must get neither into the system nor into the initrd.
Status check_scripts(const Platform& platform, const Unpacked& unpacked) {
  auto reviews = overlay::merge_reviews(platform.overlays);
  const auto of_initrd = overlay::merge_reviews(platform.initrd_overlays);
  reviews.insert(reviews.end(), of_initrd.begin(), of_initrd.end());
  std::vector<rootfs::ControlData> control;
  for (std::size_t i = 0; i < unpacked.debs.size(); ++i) {
    const lock::Roles& roles = unpacked.packages[i].roles;
    if (roles.system || roles.initrd) control.push_back(unpacked.debs[i].control);
  }
  return rootfs::check_reviews(control, reviews);
}

Result<rootfs::Composed> compose(const Platform& platform, const lock::Lock& lock, const Unpacked& unpacked,
                                 bool lock::Roles::* role, std::vector<std::string> exclude,
                                 std::vector<std::string> keep) {
  rootfs::ComposeInput compose;
  compose.packages = unpacked.with(role);
  compose.exclude = std::move(exclude);
  compose.keep = std::move(keep);
  compose.diversions = platform.profile.diversions;
  compose.clock = lock.archive_time;
  return rootfs::compose(compose);
}

/// The packages that the appliance has outside of its system, in the order of the lock: those of the initrd
/// only and the boot loaders. Errors: what boots comes from a package that the profile does not name, or one
/// that it names is not in the lock.
Result<std::vector<const rootfs::UnpackedDeb*>> packages_elsewhere(const profile::Profile& profile,
                                                                   const Unpacked& unpacked) {
  std::vector<const rootfs::UnpackedDeb*> elsewhere;
  std::vector<std::string> unnamed = boot::sources_of(profile.machine);
  std::vector<std::string> unlocked = profile.boot_packages;
  for (std::size_t i = 0; i < unpacked.debs.size(); ++i) {
    const lock::Package& package = unpacked.packages[i];
    if (package.roles.boot) {
      std::erase(unlocked, package.name);
      for (const auto& entry : unpacked.debs[i].entries) std::erase(unnamed, entry.path);
    }
    if (!package.roles.system && (package.roles.initrd || package.roles.boot))
      elsewhere.push_back(&unpacked.debs[i]);
  }
  if (!unlocked.empty())
    return fail(ErrorKind::usage,
                fmt::format("the profile's boot package {} is not in the lock", unlocked.front()),
                fmt::format("run `{}`", own_command({"lock", "SPEC", "--update"})));
  if (!unnamed.empty())
    return fail(ErrorKind::usage,
                fmt::format("no boot package of the profile has the boot loader's file {}", unnamed.front()),
                "add the package that has it to 'boot' in the profile, so that the appliance lists it");
  return elsewhere;
}

/// The files of the boot packages, as they are in them.
Result<rootfs::FileTree> boot_tree(const Unpacked& unpacked) {
  rootfs::FileTree tree;
  for (const rootfs::UnpackedDeb* deb : unpacked.with(&lock::Roles::boot))
    for (const auto& entry : deb->entries)
      if (entry.inode->type == rootfs::FileType::regular && entry.path.starts_with("usr/lib/"))
        CHECK_OK(tree.put_shared(entry.path, entry.inode));
  return tree;
}

/// The release of the one kernel in the tree, such as "6.12.117+deb13-cloud-amd64".
Result<std::string> kernel_release(const rootfs::FileTree& tree) {
  std::vector<std::string> releases;
  for (const auto& [path, inode] : tree) {
    constexpr std::string_view kPrefix = "boot/vmlinuz-";
    if (path.starts_with(kPrefix)) releases.push_back(path.substr(kPrefix.size()));
  }
  if (releases.size() != 1) {
    return fail(ErrorKind::integrity,
                fmt::format("the lock has {} kernels, and an image holds one", releases.size()),
                fmt::format("run `{}`", own_command({"lock", "SPEC", "--update"})));
  }
  return releases.front();
}

/// A glob that stops to match, as a new version has other names, would let in what it kept out.
void warn_of_unmatched(const std::vector<std::string>& globs, std::string_view what, Reporter& reporter) {
  for (const std::string& glob : globs)
    reporter.warning(fmt::format("'{}' in the profile matches nothing in {}", glob, what));
}

Status link_alternatives(const profile::Profile& profile, std::int64_t clock, rootfs::FileTree& tree) {
  for (const auto& [path, target] : profile.alternatives) {
    if (tree.find(std::string_view(target).substr(1)) == nullptr)
      return fail(
          ErrorKind::usage,
          fmt::format("the alternative {} of the profile is {}, which no package brings", path, target),
          "name another program under 'alternatives' in the profile, or add the package that has it");
    CHECK_OK(tree.put(path, rootfs::symlink_inode(target, clock, "alternatives")));
  }
  return ok();
}

/// Says in /usr what it is made from.
Status put_record(const BaseInput& input, const std::string& identity, rootfs::FileTree& tree) {
  rootfs::Inode inode;
  inode.mtime = input.lock.archive_time;
  inode.origin = "mailstead";
  inode.content = rootfs::Content(image::to_json(record_of(input.platform, input.lock, identity)));
  return tree.put(image::kBaseRecordPath, std::move(inode));
}

Result<rootfs::FileTree> compose_initrd(const BaseInput& input, const Unpacked& unpacked,
                                        const rootfs::FileTree& system, const std::string& release,
                                        const fs::path& scratch, Reporter& reporter) {
  const std::int64_t clock = input.lock.archive_time;
  std::vector<std::string> exclude = input.platform.profile.exclude;
  const std::vector<std::string>& more = input.platform.profile.initrd_exclude;
  exclude.insert(exclude.end(), more.begin(), more.end());
  // Nothing that only a person would read is kept: licence files are in the system.
  TRY(rootfs::Composed composed,
      compose(input.platform, input.lock, unpacked, &lock::Roles::initrd, std::move(exclude), {}));
  // What is left out of the system need not be in a package of the initrd.
  std::erase_if(composed.unmatched, [&](const std::string& glob) {
    return std::find(more.begin(), more.end(), glob) == more.end();
  });
  warn_of_unmatched(composed.unmatched, "the initrd", reporter);
  CHECK_OK(rootfs::write_accounts(input.platform.accounts, clock, composed.tree));
  CHECK_OK(render::lay_public(input.platform.initrd_overlays, input.platform.accounts, clock, composed.tree));
  CHECK_OK(image::finish_initrd(composed.tree, system, release, input.platform.profile.initrd_modules,
                                input.toolbox, scratch, clock));
  return std::move(composed.tree);
}

Status write_tar_file(const rootfs::FileTree& tree, const fs::path& path) {
  std::ofstream file(path, std::ios::binary);
  CHECK_OK(rootfs::write_tar(
      tree,
      [&](const char* data, std::size_t size) -> Status {
        if (file.write(data, static_cast<std::streamsize>(size))) return ok();
        return fail(ErrorKind::io, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
      },
      rootfs::Origins::keep));
  file.close();
  if (!file)
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  return ok();
}

/// Everything but /usr, with the folders that something is mounted on.
Result<rootfs::FileTree> root_part(const rootfs::FileTree& system) {
  rootfs::FileTree root = system;
  root.remove("usr");
  root.remove("boot");
  for (const char* path : {"boot", "dev", "proc", "run", "sys", "tmp", "usr", "var"}) {
    if (root.find(path) != nullptr) continue;
    rootfs::Inode folder;
    folder.type = rootfs::FileType::directory;
    folder.mode = 0755;
    CHECK_OK(root.put(path, std::move(folder)));
  }
  return root;
}

/// Only what rendering a site looks at: unit files for their [Install] sections, names of time zones.
rootfs::FileTree rendering_view(const rootfs::FileTree& system) {
  rootfs::FileTree view = system;
  std::vector<std::string> others;
  for (const auto& [path, inode] : system) {
    if (inode->type == rootfs::FileType::directory) continue;
    if (!path.starts_with("usr/lib/systemd/system/") && !path.starts_with("usr/share/zoneinfo/"))
      others.push_back(path);
  }
  for (const std::string& path : others) view.remove(path);
  return view;
}

}  // namespace

image::Layout layout_of(const profile::Profile& profile) {
  return {profile.esp_size, profile.boot_size, profile.usr_size, profile.root_size, profile.machine};
}

Result<rootfs::FileTree> lay_system(const Platform& platform, const lock::Lock& lock,
                                    const Unpacked& unpacked, Reporter& reporter) {
  const profile::Profile& profile = platform.profile;
  CHECK_OK(check_scripts(platform, unpacked));
  TRY(rootfs::Composed composed,
      compose(platform, lock, unpacked, &lock::Roles::system, profile.exclude, profile.keep));
  TRY(const auto elsewhere, packages_elsewhere(profile, unpacked));
  CHECK_OK(rootfs::add_dpkg_database(composed, elsewhere, lock.archive_time));
  warn_of_unmatched(composed.unmatched, "the system", reporter);
  CHECK_OK(link_alternatives(profile, lock.archive_time, composed.tree));
  CHECK_OK(rootfs::write_accounts(platform.accounts, lock.archive_time, composed.tree));
  CHECK_OK(render::lay_public(platform.overlays, platform.accounts, lock.archive_time, composed.tree));
  return std::move(composed.tree);
}

Result<ComposedBase> compose_base(const BaseInput& input, const BaseId& id, const Unpacked& unpacked,
                                  rootfs::FileTree system, const fs::path& scratch, Reporter& reporter) {
  const auto activity = reporter.start("Composing the public base");
  const std::int64_t clock = input.lock.archive_time;
  const fs::path made = scratch / "made";
  CHECK_OK(make_directories(made));
  Base base = base_in(made, id.identity, input.platform.profile.machine);

  CHECK_OK(tools::generate_system_files(input.toolbox, input.platform.profile.machine.architecture, scratch,
                                        clock, system, reporter));
  CHECK_OK(rootfs::declare_var(system, clock));
  CHECK_OK(put_record(input, id.identity, system));
  TRY(const std::string release, kernel_release(system));
  TRY(const rootfs::FileTree boot_files, boot_tree(unpacked));
  const image::Layout layout = layout_of(input.platform.profile);
  const boot::BootInput starting{layout, boot_files, input.toolbox, scratch};
  TRY(std::vector<image::FatFile> esp, boot::esp_files_of(starting));
  {
    const auto step = reporter.start("squashfs of /usr, initrd, boot files");
    // Most of these work on one processor, mksquashfs on all: side by side none is idle. Nobody changes the
    // tree any more.
    auto usr = beside([&]() -> Result<image::VerityImage> {
      const image::SquashfsOptions options{input.platform.profile.squashfs_compressor,
                                           input.platform.profile.squashfs_level, clock};
      CHECK_OK(image::write_squashfs(system.subtree("usr"), options, input.toolbox, base.usr.file));
      return image::append_verity(base.usr.file, id.identity, input.toolbox);
    });
    TRY(const rootfs::FileTree initrd, compose_initrd(input, unpacked, system, release, scratch, reporter));
    CHECK_OK(image::write_initrd(initrd, clock, input.toolbox, base.initrd));
    TRY(const std::string kernel, system.find("boot/vmlinuz-" + release)->content.read());
    CHECK_OK(write_file(base.kernel, kernel));
    CHECK_OK(boot::write_code_of(starting, made));
    CHECK_OK(image::write_esp(esp, input.platform.profile.esp_size - image::kDiskRecordRoom, id.identity,
                              clock, input.toolbox, base.esp));
    CHECK_OK(write_tar_file(rendering_view(system), base.units));
    TRY(const rootfs::FileTree root, root_part(system));
    CHECK_OK(write_tar_file(root, base.root));
    TRY(base.usr, usr.get());
    step->set_result("kernel " + release);
  }
  const std::vector<BaseFile> files = base_files(base.machine);
  TRY(const auto digests, digest_files(made, files));
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < files.size(); ++i) json[files[i].name] = digests[i];
  json["usr_hash_offset"] = base.usr.hash_offset;
  json["usr_root_hash"] = base.usr.root_hash;
  CHECK_OK(write_file(made / kBaseMark, json.dump(2) + "\n"));

  base.parts = parts_in(made, files, digests);
  activity->set_result(id.identity.substr(0, 12));
  return ComposedBase{std::move(base), std::move(system), std::move(esp)};
}

}  // namespace mailstead::pipeline
