// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "overlay/overlay.hpp"
#include "rootfs/file_tree.hpp"
#include "spec/site.hpp"

namespace mailstead::render {

/// Lays the public part of the overlays: everything that does not depend on a site (all of usr/, and, of
/// overlays without `when`, files without the suffix .tmpl elsewhere) with removals before and links after
/// it, then ownership and modes. `tree` is the composed system, `clock` the time of all
/// that is laid: systemd takes that of usr/lib/clock-epoch for the earliest that it can be. Errors: an
/// unknown user or group, an entry of `files` below usr/ that does not exist.
Status lay_public(const std::vector<overlay::Overlay>& overlays, const overlay::Accounts& accounts,
                  std::int64_t clock, rootfs::FileTree& tree);

/// All that lay_public does with these overlays, in words: the same words mean the same bytes. What is only
/// for people, or for a site, is not among them.
Result<std::string> describe_public(const std::vector<overlay::Overlay>& overlays);

/// Renders the templates of the overlays that are on for the site into `tree`, and lays the other files of
/// optional overlays. Needs no keys and no base. Errors: those of templates, with their places.
Status render_configuration(const spec::Site& site, const std::vector<overlay::Overlay>& overlays,
                            std::int64_t clock, rootfs::FileTree& tree);

/// Renders the site's part (templates, keys, maps, enabled units) into `tree`, which holds the root file
/// system without usr/, after lay_public. `clock` is the time of what is written, seconds since the epoch.
/// `units` holds the public part with its full paths ("usr/lib/systemd/system/…"), for the units' [Install]
/// sections and the names of time zones. Errors: a key file that is missing (ErrorKind::usage), a template or
/// manifest that is wrong.
Status render_site(const spec::Site& site, const std::vector<overlay::Overlay>& overlays,
                   const overlay::Accounts& accounts, std::int64_t clock, const rootfs::FileTree& units,
                   rootfs::FileTree& tree);

}  // namespace mailstead::render
