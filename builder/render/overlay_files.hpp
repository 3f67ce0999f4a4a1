// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "render/render.hpp"

namespace mailstead::render {

using overlay::is_public;
using overlay::Overlay;
using overlay::OverlayFile;

/// The file as it is, owned by root, 0755 if executable or else 0644; or the symlink.
Result<rootfs::Inode> read_inode(const Overlay& overlay, const OverlayFile& file, std::int64_t clock);

/// Puts a symlink of the manifest.
Status put_link(const Overlay& overlay, const std::string& path, const std::string& target,
                std::int64_t clock, rootfs::FileTree& tree);

/// The booleans of the context that a site must have for the overlay's part at `path`, if that is not below
/// usr/.
std::vector<std::string> conditions_of(const Overlay& overlay, std::string_view path);

/// Which of the entries of `files` are meant, and whether one that names a missing path is an error.
enum class Scope {
  public_part,  ///< usr/, and what exists elsewhere
  site_part,    ///< all but usr/
};

/// Sets owners and modes as `files` of the manifest says, for the paths and globs for which `wanted` says
/// yes. Errors: an unknown name, a path that does not exist; those of `wanted`.
Status set_attributes(const Overlay& overlay, const overlay::Accounts& accounts, Scope scope,
                      const std::function<Result<bool>(const std::string& path)>& wanted, std::int64_t clock,
                      rootfs::FileTree& tree);

}  // namespace mailstead::render
