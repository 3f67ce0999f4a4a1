// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rootfs/control.hpp"

namespace mailstead::rootfs {

/// What `packages`, of one architecture and those of all, need and none of them is or provides, a line each:
/// "postfix 3.10.5-1 needs libicu76 (>= 76.1)". Looked at are Pre-Depends and Depends with their
/// alternatives, versions and qualifiers, and Provides (Debian Policy 7.2 and 7.5; multiarch:
/// deb-control(5)).
std::vector<std::string> missing_dependencies(const std::vector<const ControlData*>& packages);

/// The bytes of the package's files by its Installed-Size, which counts KiB; 0 if it does not say.
std::uint64_t installed_size(const ControlData& package);

}  // namespace mailstead::rootfs
