// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "pipeline/base.hpp"
#include "tools/elf.hpp"

namespace mailstead::pipeline {
namespace {

namespace fs = std::filesystem;

/// Raised whenever the code changes the bytes that it makes of the same packages, profile and overlays, so
/// that an identity never stands for two bases: the test of the golden image wants it. (The cache does not
/// need it: its key has the digest of the program.)
constexpr int kBaseFormat = 7;

void add_list(std::string& text, std::string_view what, std::vector<std::string> list) {
  for (const std::string& one : list) text += fmt::format("{} {}\n", what, one);
}

void add_set(std::string& text, std::string_view what, std::vector<std::string> set) {
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  add_list(text, what, std::move(set));
}

/// What a profile says that makes bytes, whichever of its files says it. Its packages are the lock's.
std::string text_of(const profile::Profile& profile) {
  std::string text;
  add_list(text, "starts by", {"grub-bios", "grub-efi"});
  add_list(text, "overlay", profile.overlays);
  add_list(text, "kernel argument", profile.kernel_arguments);
  add_set(text, "exclude", profile.exclude);
  add_set(text, "keep", profile.keep);
  add_set(text, "exclude from initrd", profile.initrd_exclude);
  add_set(text, "module of initrd", profile.initrd_modules);
  text += fmt::format("partitions {} {} {} {}\n", profile.esp_size, profile.boot_size, profile.usr_size,
                      profile.root_size);
  text += fmt::format("squashfs {} {}\n", profile.squashfs_compressor, profile.squashfs_level);
  for (const auto& [path, target] : profile.alternatives)
    text += fmt::format("alternative {} {}\n", path, target);
  for (const auto& [path, diversion] : profile.diversions)
    text += fmt::format("diversion {} {} {}\n", path, diversion.to, diversion.package);
  return text;
}

std::string text_of(const profile::Accounts& accounts) {
  std::string text;
  for (const profile::User& user : accounts.users)
    text += fmt::format("user {} {} {} {} {} {}\n", user.name, user.uid, user.group, user.home, user.shell,
                        user.description);
  for (const profile::Group& group : accounts.groups) {
    text += fmt::format("group {} {}\n", group.name, group.gid);
    add_set(text, "member", group.members);
  }
  return text;
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

}  // namespace

image::BaseRecord record_of(const Platform& platform, const lock::Lock& lock, std::string identity) {
  const profile::Profile& profile = platform.profile;
  image::BaseRecord record{std::move(identity),
                           MAILSTEAD_VERSION,
                           profile.name,
                           profile.suite,
                           profile.architecture,
                           lock.archive_time,
                           {}};
  for (const lock::Package& package : lock.packages) {
    const bool boots = is_boot_package(profile, package);
    if (!package.roles.system && !package.roles.initrd && !boots) continue;
    record.packages.push_back({package.name, package.version, package.architecture, package.archive,
                               package.pool_path, package.sha256, package.roles.system, package.roles.initrd,
                               boots});
  }
  return record;
}

Result<BaseId> base_id(const Platform& platform, const lock::Lock& lock) {
  crypto::Sha256 bytes;
  crypto::Sha256 making;
  // The record is in /usr: whatever it says makes other bytes.
  bytes.update(
      fmt::format("mailstead base {}\n{}", kBaseFormat, image::to_json(record_of(platform, lock, {}))));
  for (const lock::Package& package : lock.packages) {
    // Tools are programs of the build host: for each architecture they are other files, and write the same.
    // What is copied from a package is in the record.
    if (package.roles.tool && !is_boot_package(platform.profile, package)) {
      bytes.update(fmt::format("tool {} {}\n", package.name, package.version));
      making.update(fmt::format("tool {} {} {}\n", package.name, package.architecture, package.sha256));
    }
    // A lock with a wrong size cannot be fetched, and must not be taken because somebody has built the base.
    making.update(fmt::format("size {}\n", package.size));
  }
  const auto add_file = [&](const std::string& name, crypto::Sha256& hash) -> Status {
    TRY(const std::string text, read_file(platform.data / name));
    hash.update(fmt::format("{} {}\n", name, text.size()));
    hash.update(text);
    return ok();
  };
  bytes.update(text_of(platform.profile));
  bytes.update(text_of(platform.accounts));
  for (const render::Overlay& overlay : platform.overlays) CHECK_OK(digest_folder(overlay.folder, bytes));
  for (const char* name : kInitrdOverlays)
    CHECK_OK(digest_folder(platform.data / "rootfs-overlays" / name, bytes));
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

}  // namespace mailstead::pipeline
