// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "pipeline/base.hpp"
#include "rootfs/compose.hpp"

namespace mailstead::pipeline {

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
        !(package.roles.tool && wanted.tool) && !(package.roles.boot && wanted.boot))
      continue;
    unpacked.packages.push_back(package);
    input.packages.push_back({package.name, package.version, package.architecture, file.deb});
  }
  TRY(unpacked.debs, rootfs::unpack_packages(input, reporter));
  return unpacked;
}

}  // namespace mailstead::pipeline
