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
  std::string when;  ///< a feature of the site that turns the units and templates on ("ssh"); empty: always
  struct Attributes {
    std::string path;  ///< relative; a trailing slash means that a missing directory is created
    std::optional<std::uint32_t> mode;
    std::string owner = "root";  ///< by name
    std::string group = "root";
  };
  std::vector<Attributes> files;
  std::vector<std::string> enable;  ///< units, linked into /etc as their [Install] section says
  std::vector<std::string> mask;    ///< units linked to /dev/null
  std::map<std::string, std::string> links;  ///< path -> target
  std::vector<std::string> remove;  ///< globs taken out of the tree before the files are laid
};

Result<std::vector<Overlay>> load_overlays(const std::filesystem::path& data, const std::vector<std::string>& names);

/// Lays the public part of the overlays: everything that does not depend on a site (all of usr/, and files without
/// the suffix .tmpl elsewhere), then links, removals, ownership. `tree` is the composed system.
Status lay_public(const std::vector<Overlay>& overlays, const profile::Accounts& accounts, rootfs::FileTree& tree);

/// Renders the site's part (templates, keys, maps, enabled units) into `tree`, which holds the root file system without
/// usr/; `units` are the unit files of the public part, for their [Install] sections.
Status render_site(const spec::Site& site, const std::vector<Overlay>& overlays, const profile::Accounts& accounts,
                   std::int64_t clock, const rootfs::FileTree& units, rootfs::FileTree& tree);

}  // namespace mailstead::render
