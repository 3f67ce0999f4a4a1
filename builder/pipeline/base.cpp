// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/base.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "image/grub.hpp"
#include "image/initrd.hpp"
#include "rootfs/accounts.hpp"
#include "rootfs/archive_writer.hpp"
#include "rootfs/compose.hpp"
#include "rootfs/scripts.hpp"
#include "rootfs/var.hpp"
#include "tools/elf.hpp"
#include "tools/generate.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

/// Raised whenever the code that makes a base changes its bytes, so that no old base is taken from a cache.
constexpr int kBaseFormat = 3;

/// Where a base lies in the cache.
fs::path folder_of(const Platform& platform, const BaseId& id) {
  return platform.cache / "bases" / id.key;
}

/// A file of a base, and what part of the disk it is.
struct BaseFile {
  const char* name;
  const char* part;  ///< null: none, but needed to make a site's part
};
constexpr std::array kBaseFiles = {BaseFile{"usr.img", image::kUsrPart},
                                   BaseFile{"vmlinuz", image::kKernelPart},
                                   BaseFile{"initrd.img", image::kInitrdPart},
                                   BaseFile{"esp.img", image::kEspPart},
                                   BaseFile{"mbr.bin", image::kMbrPart},
                                   BaseFile{"core.img", image::kBiosPart},
                                   BaseFile{"root.tar", nullptr},
                                   BaseFile{"units.tar", nullptr}};

Base base_in(const fs::path& folder, const std::string& id) {
  Base base;
  base.id = id;
  base.usr.file = folder / "usr.img";
  base.kernel = folder / "vmlinuz";
  base.initrd = folder / "initrd.img";
  base.esp = folder / "esp.img";
  base.bios_boot = folder / "mbr.bin";
  base.bios_core = folder / "core.img";
  base.root = folder / "root.tar";
  base.units = folder / "units.tar";
  return base;
}

/// Adds each file below `folder`, with its name and whether it is executable, in byte order.
Status digest_folder(const fs::path& folder, crypto::Sha256& hash) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_directory() || it->is_symlink()) paths.push_back(it->path());
  }
  if (error) return fail(ErrorKind::io, fmt::format("cannot read {}: {}", folder.string(), error.message()));
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    std::string text;
    if (fs::is_symlink(path)) {
      text = fs::read_symlink(path, error).string();
    } else {
      TRY(text, read_file(path));
    }
    const bool executable =
        (fs::symlink_status(path, error).permissions() & fs::perms::owner_exec) != fs::perms::none;
    const std::string name = path.lexically_relative(folder).string();
    hash.update(fmt::format("{} {} {}\n", name, executable ? "x" : "-", text.size()));
    hash.update(text);
  }
  return ok();
}

/// Packages without reviewed scripts must get neither into the system nor into the initrd.
Status check_scripts(const Platform& platform, const Unpacked& unpacked) {
  TRY(const auto reviews, profile::load_reviews(platform.data));
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

bool is_boot_package(const profile::Profile& profile, const lock::Package& package) {
  const auto& names = profile.boot_packages;
  return package.roles.tool && std::find(names.begin(), names.end(), package.name) != names.end();
}

/// The packages that the appliance has outside of its system, in the order of the lock: those of the initrd
/// only and the boot loaders. Errors: what boots comes from a package that the profile does not name, or one
/// that it names is not in the lock.
Result<std::vector<const rootfs::UnpackedDeb*>> packages_elsewhere(const profile::Profile& profile,
                                                                   const Unpacked& unpacked) {
  std::vector<const rootfs::UnpackedDeb*> elsewhere;
  std::vector<std::string> unnamed = image::boot_sources();
  std::vector<std::string> unlocked = profile.boot_packages;
  for (std::size_t i = 0; i < unpacked.debs.size(); ++i) {
    const lock::Package& package = unpacked.packages[i];
    const bool boots = is_boot_package(profile, package);
    if (boots) {
      std::erase(unlocked, package.name);
      for (const auto& entry : unpacked.debs[i].entries) std::erase(unnamed, entry.path);
    }
    if (!package.roles.system && (package.roles.initrd || boots)) elsewhere.push_back(&unpacked.debs[i]);
  }
  if (!unlocked.empty())
    return fail(ErrorKind::usage,
                fmt::format("the profile's boot package {} is not among the locked tools", unlocked.front()),
                "add it to 'tools' in the profile and lock again, or take it out of 'boot'");
  if (!unnamed.empty())
    return fail(ErrorKind::usage,
                fmt::format("no boot package of the profile has the boot loader's file {}", unnamed.front()),
                "add the package that has it to 'boot' in the profile, so that the appliance lists it");
  return elsewhere;
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
                "run mailstead lock --update");
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
    rootfs::Inode link;
    link.type = rootfs::FileType::symlink;
    link.mode = 0777;
    link.mtime = clock;
    link.target = target;
    link.origin = "alternatives";
    CHECK_OK(tree.put(path, std::move(link)));
  }
  return ok();
}

/// Says in /usr what it is made from.
Status put_record(const BaseInput& input, const std::string& identity, rootfs::FileTree& tree) {
  const profile::Profile& profile = input.platform.profile;
  image::BaseRecord record{
      identity, MAILSTEAD_VERSION, profile.name, profile.suite, profile.architecture, input.lock.archive_time,
      {}};
  for (const lock::Package& package : input.lock.packages) {
    const bool boots = is_boot_package(profile, package);
    if (!package.roles.system && !package.roles.initrd && !boots) continue;
    record.packages.push_back({package.name, package.version, package.architecture, package.archive,
                               package.pool_path, package.sha256, package.roles.system, package.roles.initrd,
                               boots});
  }
  rootfs::Inode inode;
  inode.mtime = input.lock.archive_time;
  inode.origin = "mailstead";
  inode.content = rootfs::Content(image::to_json(record));
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
  TRY(const auto overlays, render::load_overlays(input.platform.data, {"initrd"}));
  CHECK_OK(render::lay_public(overlays, input.platform.accounts, composed.tree));
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

/// SHA-256 of each file of the base in `folder`, in the order of kBaseFiles. Side by side: the image of /usr
/// is as large as all others.
Result<std::vector<std::string>> digest_files(const fs::path& folder) {
  std::vector<std::future<Result<std::string>>> running;
  for (const BaseFile& file : kBaseFiles)
    running.push_back(std::async(std::launch::async,
                                 [path = folder / file.name] { return crypto::sha256_file_hex(path); }));
  std::vector<std::string> digests;
  Status all = ok();
  for (auto& one : running) {
    auto digest = one.get();
    if (digest)
      digests.push_back(*std::move(digest));
    else
      all = fail(std::move(digest.error()));
  }
  CHECK_OK(all);
  return digests;
}

/// Those of the files that get onto the disk as they are.
std::vector<image::PublicPart> parts_in(const fs::path& folder, const std::vector<std::string>& digests) {
  std::vector<image::PublicPart> parts;
  for (std::size_t i = 0; i < kBaseFiles.size(); ++i) {
    const auto& [name, part] = kBaseFiles[i];
    std::error_code error;
    if (part != nullptr) parts.push_back({part, fs::file_size(folder / name, error), digests[i]});
  }
  return parts;
}

}  // namespace

image::Layout layout_of(const profile::Profile& profile) {
  return {profile.esp_size, profile.boot_size, profile.usr_size, profile.root_size};
}

Result<BaseId> base_id(const Platform& platform, const lock::Lock& lock) {
  crypto::Sha256 bytes;
  crypto::Sha256 making;
  bytes.update(fmt::format("mailstead base {} {}\n", kBaseFormat, MAILSTEAD_VERSION));
  bytes.update(fmt::format("{} {} {}\n", lock.suite, lock.architecture, lock.archive_time));
  for (const lock::Package& package : lock.packages) {
    const lock::Roles& roles = package.roles;
    const bool boots = is_boot_package(platform.profile, package);
    if (roles.system || roles.initrd || boots) {
      bytes.update(fmt::format("{} {} {} {}{}{}\n", package.name, package.architecture, package.sha256,
                               roles.system ? "s" : "-", roles.initrd ? "i" : "-", boots ? "b" : "-"));
    }
    // Tools are programs of the build host: for each architecture they are other files, and write the same.
    if (roles.tool) {
      bytes.update(fmt::format("tool {} {}\n", package.name, package.version));
      making.update(fmt::format("tool {} {} {}\n", package.name, package.architecture, package.sha256));
    }
  }
  const auto add_file = [&](const std::string& name, crypto::Sha256& hash) -> Status {
    TRY(const std::string text, read_file(platform.data / name));
    hash.update(fmt::format("{} {}\n", name, text.size()));
    hash.update(text);
    return ok();
  };
  CHECK_OK(add_file("profiles/" + platform.profile.name + ".yaml", bytes));
  CHECK_OK(add_file("profiles/accounts.yaml", bytes));
  for (const render::Overlay& overlay : platform.overlays) CHECK_OK(digest_folder(overlay.folder, bytes));
  CHECK_OK(digest_folder(platform.data / "rootfs-overlays" / "initrd", bytes));
  // The reviews do not change bytes, but a base whose scripts are not reviewed any more must not come from a
  // cache.
  CHECK_OK(add_file("profiles/maintainer-scripts.yaml", making));
  TRY(const std::string program, tools::loaded_sha256_hex("/proc/self/exe"));
  making.update(program);

  BaseId id;
  id.identity = crypto::to_hex(bytes.finish());
  making.update(id.identity);
  id.key = crypto::to_hex(making.finish());
  return id;
}

Result<std::optional<Base>> find_base(const Platform& platform, const BaseId& id) {
  const fs::path folder = folder_of(platform, id);
  if (!fs::exists(folder / kBaseMark)) return std::optional<Base>();
  TRY(const std::string text, read_file(folder / kBaseMark));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.value("usr_hash_offset", nlohmann::json()).is_number_unsigned())
    return std::optional<Base>();
  // Every byte is checked at every use: a base that a power cut or a bad disk has damaged is made again, not
  // built into an image.
  const auto digests = digest_files(folder);
  if (!digests) return std::optional<Base>();
  for (std::size_t i = 0; i < kBaseFiles.size(); ++i)
    if (json.value(kBaseFiles[i].name, nlohmann::json()) != (*digests)[i]) return std::optional<Base>();
  Base base = base_in(folder, id.identity);
  base.parts = parts_in(folder, *digests);
  base.usr.hash_offset = json["usr_hash_offset"].get<std::uint64_t>();
  const auto root_hash = json.value("usr_root_hash", nlohmann::json());
  if (!root_hash.is_string()) return std::optional<Base>();
  base.usr.root_hash = root_hash.get<std::string>();
  tools::touch(folder / kBaseMark);
  return std::optional<Base>(std::move(base));
}

std::vector<const rootfs::UnpackedDeb*> Unpacked::with(bool lock::Roles::* role) const {
  std::vector<const rootfs::UnpackedDeb*> found;
  for (std::size_t i = 0; i < debs.size(); ++i) {
    if (packages[i].roles.*role) found.push_back(&debs[i]);
  }
  return found;
}

Result<Unpacked> unpack(const Platform& platform, const std::vector<PackageFile>& packages,
                        const lock::Roles& wanted, Reporter& reporter) {
  TRY(tools::ScratchFolder folder, tools::ScratchFolder::create(platform.cache / "scratch"));
  Unpacked unpacked{std::move(folder), {}, {}};
  rootfs::UnpackInput input;
  input.spool_folder = unpacked.folder.path();
  for (const PackageFile& file : packages) {
    const lock::Package& package = file.package;
    if (!(package.roles.system && wanted.system) && !(package.roles.initrd && wanted.initrd) &&
        !(package.roles.tool && wanted.tool) &&
        !(is_boot_package(platform.profile, package) && wanted.system))
      continue;
    unpacked.packages.push_back(package);
    input.packages.push_back({package.name, package.version, package.architecture, file.deb});
  }
  TRY(unpacked.debs, rootfs::unpack_packages(input, reporter));
  return unpacked;
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
  CHECK_OK(render::lay_public(platform.overlays, platform.accounts, composed.tree));
  return std::move(composed.tree);
}

Result<ComposedBase> compose_base(const BaseInput& input, const BaseId& id, const Unpacked& unpacked,
                                  rootfs::FileTree system, const fs::path& scratch, Reporter& reporter) {
  const auto activity = reporter.start("Composing the public base");
  const std::int64_t clock = input.lock.archive_time;
  const fs::path made = scratch / "made";
  CHECK_OK(make_directories(made));
  Base base = base_in(made, id.identity);

  CHECK_OK(tools::generate_system_files(input.toolbox, scratch, clock, system, reporter));
  CHECK_OK(rootfs::declare_var(system, clock));
  CHECK_OK(put_record(input, id.identity, system));
  TRY(const std::string release, kernel_release(system));
  {
    const auto step = reporter.start("squashfs of /usr, initrd, boot files");
    // Most of these work on one processor, mksquashfs on all: side by side none is idle. Nobody changes the
    // tree any more.
    auto usr = std::async(std::launch::async, [&]() -> Result<image::VerityImage> {
      const image::SquashfsOptions options{input.platform.profile.squashfs_compressor,
                                           input.platform.profile.squashfs_level, clock};
      CHECK_OK(image::write_squashfs(system.subtree("usr"), options, input.toolbox, base.usr.file));
      return image::append_verity(base.usr.file, id.identity, input.toolbox);
    });
    TRY(const rootfs::FileTree initrd, compose_initrd(input, unpacked, system, release, scratch, reporter));
    CHECK_OK(image::write_initrd(initrd, clock, input.toolbox, base.initrd));
    TRY(const std::string kernel, system.find("boot/vmlinuz-" + release)->content.read());
    CHECK_OK(write_file(base.kernel, kernel));
    CHECK_OK(image::write_bios_boot(input.toolbox, layout_of(input.platform.profile), base.bios_boot,
                                    base.bios_core));
    TRY(const auto esp, image::esp_files(input.toolbox));
    CHECK_OK(image::write_fat(esp, input.platform.profile.esp_size, "MAILSTEAD", id.identity, clock,
                              input.toolbox, base.esp));
    CHECK_OK(write_tar_file(rendering_view(system), base.units));
    TRY(const rootfs::FileTree root, root_part(system));
    CHECK_OK(write_tar_file(root, base.root));
    TRY(base.usr, usr.get());
    step->set_result("kernel " + release);
  }
  TRY(const auto digests, digest_files(made));
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < kBaseFiles.size(); ++i) json[kBaseFiles[i].name] = digests[i];
  json["usr_hash_offset"] = base.usr.hash_offset;
  json["usr_root_hash"] = base.usr.root_hash;
  CHECK_OK(write_file(made / kBaseMark, json.dump(2) + "\n"));

  base.parts = parts_in(made, digests);
  activity->set_result(id.identity.substr(0, 12));
  return ComposedBase{std::move(base), std::move(system)};
}

Result<Base> make_base(const BaseInput& input, const BaseId& id, const Unpacked& unpacked,
                       rootfs::FileTree system, Reporter& reporter) {
  TRY(const tools::ScratchFolder scratch, tools::ScratchFolder::create(input.platform.cache / "bases"));
  TRY(const ComposedBase composed,
      compose_base(input, id, unpacked, std::move(system), scratch.path(), reporter));
  const Base& base = composed.base;
  const fs::path made = base.usr.file.parent_path();
  const fs::path folder = folder_of(input.platform, id);
  std::error_code error;
  fs::rename(made, folder, error);
  if (error) {
    // Either another build was faster, and its base has the same bytes, or what is there is damaged.
    TRY(const auto there, find_base(input.platform, id));
    if (there) return *there;
    fs::remove_all(folder, error);
    fs::rename(made, folder, error);
    if (error) {
      return fail(ErrorKind::io,
                  fmt::format("cannot keep the base in {}: {}", folder.string(), error.message()));
    }
  }
  Base kept = base_in(folder, id.identity);
  kept.usr.hash_offset = base.usr.hash_offset;
  kept.usr.root_hash = base.usr.root_hash;
  kept.parts = base.parts;
  return kept;
}

Status export_base(const Base& base, const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error))
    return fail(ErrorKind::usage, fmt::format("{} is not an empty folder", folder.string()),
                "name a new folder");
  CHECK_OK(make_directories(folder));
  for (const BaseFile& file : kBaseFiles) {
    if (file.part == nullptr) continue;
    fs::copy_file(base.usr.file.parent_path() / file.name, folder / file.name, error);
    if (error)
      return fail(ErrorKind::io,
                  fmt::format("cannot write {}: {}", (folder / file.name).string(), error.message()));
  }
  return ok();
}

}  // namespace mailstead::pipeline
