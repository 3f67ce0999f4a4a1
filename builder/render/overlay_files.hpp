// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "render/render.hpp"

namespace mailstead::render {

/// A file in the folder of an overlay.
struct OverlayFile {
  std::filesystem::path source;
  std::string path;  ///< in the image, without the suffix .tmpl
  bool is_template = false;
};

/// The files and symlinks of an overlay but its manifest, sorted by path.
Result<std::vector<OverlayFile>> list_files(const Overlay& overlay);

/// True for paths that are the same for every site: usr and what is below it.
bool is_public(std::string_view path);

/// The file as it is, owned by root, 0755 if executable or else 0644; or the symlink.
Result<rootfs::Inode> read_inode(const Overlay& overlay, const OverlayFile& file, std::int64_t clock);

/// Puts the symlinks of the manifest for which `wanted` says yes.
template <class Predicate>
Status put_links(const Overlay& overlay, std::int64_t clock, Predicate wanted, rootfs::FileTree& tree) {
  for (const auto& [path, target] : overlay.links) {
    if (!wanted(path)) continue;
    rootfs::Inode inode;
    inode.type = rootfs::FileType::symlink;
    inode.mode = 0777;
    inode.mtime = clock;
    inode.target = target;
    inode.origin = overlay.name;
    CHECK_OK(tree.put(path, std::move(inode)));
  }
  return ok();
}

/// Which of the entries of `files` are meant, and whether one that names a missing path is an error.
enum class Scope {
  public_part,  ///< usr/, and what exists elsewhere
  site_part,    ///< all but usr/
};

/// Sets owners and modes as `files` of the manifest says. Errors: an unknown name, a path that does not
/// exist.
Status set_attributes(const Overlay& overlay, const profile::Accounts& accounts, Scope scope,
                      std::int64_t clock, rootfs::FileTree& tree);

}  // namespace mailstead::render
