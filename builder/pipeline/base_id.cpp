// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crypto/digest.hpp"
#include "pipeline/base.hpp"
#include "tools/elf.hpp"

namespace mailstead::pipeline {
namespace {

/// Raised whenever the code changes the bytes that it makes of the same packages, profile and overlays, so
/// that an identity never stands for two bases: the test of the golden image wants it. (The cache does not
/// need it: its key has the digest of the program.)
constexpr int kBaseFormat = 8;

}  // namespace

image::BaseRecord record_of(const Platform& platform, const lock::Lock& lock, std::string identity) {
  const profile::Profile& profile = platform.profile;
  image::BaseRecord record{std::move(identity),  MAILSTEAD_VERSION, profile.name,        profile.suite,
                           profile.architecture, lock.archive_time, image::kStateFormat, {}};
  for (const lock::Package& package : lock.packages) {
    const lock::Roles& roles = package.roles;
    if (!roles.system && !roles.initrd && !roles.boot) continue;
    record.packages.push_back({package.name, package.version, package.architecture, package.archive,
                               package.pool_path, package.sha256, roles.system, roles.initrd, roles.boot});
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
  bytes.update(profile::describe(platform.profile));
  bytes.update(overlay::describe(platform.accounts));
  TRY(const std::string system, render::describe_public(platform.overlays));
  TRY(const std::string initrd, render::describe_public(platform.initrd_overlays));
  bytes.update(fmt::format("system {}\n{}initrd {}\n{}", system.size(), system, initrd.size(), initrd));
  // The reviews do not change bytes, but a base whose scripts are not reviewed any more must not come from a
  // cache.
  for (const auto* overlays : {&platform.overlays, &platform.initrd_overlays})
    for (const overlay::Review& review : overlay::merge_reviews(*overlays))
      making.update(fmt::format("review {} {}\n", review.package, fmt::join(review.digests, " ")));
  TRY(const std::string program, tools::loaded_sha256_hex("/proc/self/exe"));
  making.update(program);

  BaseId id;
  id.identity = crypto::to_hex(bytes.finish());
  making.update(id.identity);
  id.key = crypto::to_hex(making.finish());
  return id;
}

}  // namespace mailstead::pipeline
