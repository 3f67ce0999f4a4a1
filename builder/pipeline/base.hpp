// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "image/image.hpp"
#include "pipeline/project.hpp"
#include "render/render.hpp"
#include "tools/toolbox.hpp"

namespace mailstead::pipeline {

/// The public part of an appliance, in the cache: it depends on lock, profile and overlays, on nothing of a
/// site.
struct Base {
  std::string id;  ///< 64 hexadecimal digits: the digest of all that went into it
  image::VerityImage usr;
  std::filesystem::path kernel;
  std::filesystem::path initrd;
  std::filesystem::path esp;        ///< FAT image
  std::filesystem::path bios_boot;  ///< GRUB's boot.img
  std::filesystem::path bios_core;  ///< GRUB's core.img
  std::filesystem::path root;       ///< tar of all but usr/: what sites lay their files upon
  std::filesystem::path units;      ///< tar of the parts of usr/ that rendering looks at
};

/// What a base is made from.
struct BaseInput {
  const Project& project;
  const lock::Lock& lock;
  const std::vector<render::Overlay>& overlays;
  const tools::Toolbox& toolbox;
};

/// The digest over everything that the base's bytes depend on: locked packages, profile, accounts, overlays
/// and our version.
Result<std::string> base_id(const Project& project, const lock::Lock& lock,
                            const std::vector<render::Overlay>& overlays);

/// The base from the cache, if it is there and complete.
Result<std::optional<Base>> find_base(const Project& project, const std::string& id);

/// A package file in the store.
struct PackageFile {
  lock::Package package;
  std::filesystem::path deb;
};

/// Composes the base from `packages` and puts it into the cache under its id.
Result<Base> make_base(const BaseInput& input, const std::string& id,
                       const std::vector<PackageFile>& packages, Reporter& reporter);

}  // namespace mailstead::pipeline
