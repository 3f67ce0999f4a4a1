// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::render {

/// Does what `systemctl enable` does (systemd.unit(5), section [Install]): links `unit` below
/// etc/systemd/system of `tree` for WantedBy=, RequiredBy=, UpheldBy= and Alias=, and the units of Also=.
/// Unit files and their drop-ins are read from usr/lib/systemd/system in `units` and etc/systemd/system in
/// `tree`; instances of templates ("a@b.service") and DefaultInstance= are known, of the specifiers %i, %n,
/// %N, %p and %%. `clock` is the time of the links, `origin` their origin. Errors: no such unit, no [Install]
/// section, another specifier.
Status enable_unit(const std::string& unit, const rootfs::FileTree& units, std::int64_t clock,
                   const std::string& origin, rootfs::FileTree& tree);

/// Links `unit` to /dev/null, as `systemctl mask` does.
Status mask_unit(const std::string& unit, std::int64_t clock, const std::string& origin,
                 rootfs::FileTree& tree);

}  // namespace mailstead::render
