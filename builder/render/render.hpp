// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "profile/profile.hpp"
#include "rootfs/file_tree.hpp"
#include "spec/site.hpp"

namespace mailstead::render {

/// A folder of rootfs-overlays/: a concern of the appliance with all that belongs to it.
struct Overlay {
  std::string name;
  std::filesystem::path folder;
  std::string description;
  std::string when;  ///< a boolean of the context that turns all but usr/ on ("ssh.enabled"); empty: always
  struct Attributes {
    std::string path;  ///< relative, or a glob; a trailing slash means that a missing directory is created
    std::optional<std::uint32_t> mode;
    std::string owner = "root";  ///< by name
    std::string group = "root";
  };
  std::vector<Attributes> files;
  std::vector<std::string> enable;           ///< units, linked into /etc as their [Install] section says
  std::vector<std::string> mask;             ///< units linked to /dev/null
  std::map<std::string, std::string> links;  ///< path -> target
  std::vector<std::string> remove;           ///< globs taken out of the tree before the files are laid
};

/// Reads the manifests of the overlays `names` below `data`/rootfs-overlays, in that order (their form is
/// described in rootfs-overlays/README.md). Errors (ErrorKind::usage): no such overlay, a manifest that is
/// wrong, a template below usr/.
Result<std::vector<Overlay>> load_overlays(const std::filesystem::path& data,
                                           const std::vector<std::string>& names);

/// Lays the public part of the overlays: everything that does not depend on a site (all of usr/, and, of
/// overlays without `when`, files without the suffix .tmpl elsewhere) with removals before and links after
/// it, then ownership and modes. `tree` is the composed system, `clock` the time of all
/// that is laid: systemd takes that of usr/lib/clock-epoch for the earliest that it can be. Errors: an
/// unknown user or group, an entry of `files` below usr/ that does not exist.
Status lay_public(const std::vector<Overlay>& overlays, const profile::Accounts& accounts, std::int64_t clock,
                  rootfs::FileTree& tree);

/// All that lay_public does with these overlays, in words: the same words mean the same bytes. What is only
/// for people, or for a site, is not among them.
Result<std::string> describe_public(const std::vector<Overlay>& overlays);

/// Renders the templates of the overlays that are on for the site into `tree`, and lays the other files of
/// optional overlays. Needs no keys and no base. Errors: those of templates, with their places.
Status render_configuration(const spec::Site& site, const std::vector<Overlay>& overlays, std::int64_t clock,
                            rootfs::FileTree& tree);

/// Renders the site's part (templates, keys, maps, enabled units) into `tree`, which holds the root file
/// system without usr/, after lay_public. `clock` is the time of what is written, seconds since the epoch.
/// `units` holds the public part with its full paths ("usr/lib/systemd/system/…"), for the units' [Install]
/// sections and the names of time zones. Errors: a key file that is missing (ErrorKind::usage), a template or
/// manifest that is wrong.
Status render_site(const spec::Site& site, const std::vector<Overlay>& overlays,
                   const profile::Accounts& accounts, std::int64_t clock, const rootfs::FileTree& units,
                   rootfs::FileTree& tree);

}  // namespace mailstead::render
