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
constexpr int kBaseFormat = 6;

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
    if (package.roles.tool) {
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
  for (const std::string& file : platform.profile.files) CHECK_OK(add_file(file, bytes));
  CHECK_OK(add_file("profiles/accounts.yaml", bytes));
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
