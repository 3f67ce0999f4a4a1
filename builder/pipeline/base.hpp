// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "image/image.hpp"
#include "image/records.hpp"
#include "pipeline/project.hpp"
#include "render/render.hpp"
#include "rootfs/deb.hpp"
#include "tools/scratch.hpp"
#include "tools/toolbox.hpp"

namespace mailstead::pipeline {

/// The public part of an appliance, in the cache: it depends on lock, profile and overlays, on nothing of a
/// site.
struct Base {
  std::string id;                ///< its identity
  platform::Machine machine;     ///< that it is for
  std::filesystem::path folder;  ///< of all of these, and of what boot methods have
  image::VerityImage usr;
  std::filesystem::path kernel;
  std::filesystem::path initrd;
  std::filesystem::path esp;             ///< FAT image
  std::filesystem::path root;            ///< tar of all but usr/: what sites lay their files upon
  std::filesystem::path units;           ///< tar of the parts of usr/ that rendering looks at
  std::vector<image::PublicPart> parts;  ///< sizes and digests of what gets onto the disk as it is
};

/// What says of a base in the cache that it is complete, and when it was last of use.
inline constexpr const char* kBaseMark = "base.json";

/// Where a profile wants the partitions.
image::Layout layout_of(const profile::Profile& profile);

/// What a base is made from.
struct BaseInput {
  const Platform& platform;
  const lock::Lock& lock;
  const tools::Toolbox& toolbox;
};

/// What a base is made from, as it says itself in image::kBaseRecordPath.
image::BaseRecord record_of(const Platform& platform, const lock::Lock& lock, std::string identity);

/// What a base is called, in 64 hexadecimal digits each.
struct BaseId {
  /// The digest over everything that its bytes depend on: what its record says (all of the packages of system
  /// and initrd and of those that are copied to boot, our version), the names and versions of the tools,
  /// what profile, accounts and overlays come to. What they say to people is not in it, nor what a site alone
  /// sees. Salts and UUIDs derive from it, and it is the same on every build host.
  std::string identity;
  /// In the cache: the identity and all that must not have changed since the base was made. A changed
  /// program, tool or review never takes what another one made, yet all builds of one version agree on the
  /// bytes.
  std::string key;
};

Result<BaseId> base_id(const Platform& platform, const lock::Lock& lock);

/// The base from the cache, if it is there and complete.
Result<std::optional<Base>> find_base(const Platform& platform, const BaseId& id);

/// A package file in the store.
struct PackageFile {
  lock::Package package;
  std::filesystem::path deb;
};

/// Packages, each unpacked once, whatever it is for.
struct Unpacked {
  tools::ScratchFolder folder;  ///< of their contents
  std::vector<lock::Package> packages;
  std::vector<rootfs::UnpackedDeb> debs;  ///< in the order of `packages`

  /// Those with a role, in the order of the lock.
  std::vector<const rootfs::UnpackedDeb*> with(bool lock::Roles::* role) const;
};

/// Unpacks those of `packages` (in the order of the lock) that have one of the roles in `wanted`, all that
/// they are for included.
Result<Unpacked> unpack(const Platform& platform, const std::vector<PackageFile>& packages,
                        const lock::Roles& wanted, Reporter& reporter);

/// The public system as packages, accounts and overlays make it, still without what tools generate from it.
Result<rootfs::FileTree> lay_system(const Platform& platform, const lock::Lock& lock,
                                    const Unpacked& unpacked, Reporter& reporter);

/// A base, and the trees that it was written from.
struct ComposedBase {
  Base base;
  rootfs::FileTree system;                ///< /usr, what lies under the site's files, and /boot
  std::vector<image::FatFile> esp_files;  ///< what is on the EFI system partition
};

/// Completes `system`, composes the initrd, and makes the base of both in the folder `scratch`.
Result<ComposedBase> compose_base(const BaseInput& input, const BaseId& id, const Unpacked& unpacked,
                                  rootfs::FileTree system, const std::filesystem::path& scratch,
                                  Reporter& reporter);

/// The same, put into the cache under its key.
Result<Base> make_base(const BaseInput& input, const BaseId& id, const Unpacked& unpacked,
                       rootfs::FileTree system, Reporter& reporter);

/// Whether export_base may write to `folder`, to be asked before anything takes long. Errors: it is there and
/// not an empty folder (ErrorKind::usage); it is not, nor the folder that it is to be in (ErrorKind::io).
Status require_export_place(const std::filesystem::path& folder);

/// Copies the files that get onto disks as they are (parts of `base`) into `folder`. Errors: those of
/// require_export_place; ErrorKind::io.
Status export_base(const Base& base, const std::filesystem::path& folder);

}  // namespace mailstead::pipeline
