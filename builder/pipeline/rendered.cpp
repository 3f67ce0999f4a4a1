// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/rendered.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/files.hpp"
#include "render/render.hpp"

namespace mailstead::pipeline {

namespace fs = std::filesystem;

Result<std::size_t> write_rendered(const Project& project, const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return fail(ErrorKind::usage, fmt::format("{} is not empty", folder.string()), "name a new folder");
  }
  rootfs::FileTree tree;
  CHECK_OK(render::render_configuration(project.site, project.platform.overlays, 0, tree));
  CHECK_OK(make_directories(folder));
  fs::permissions(folder, fs::perms::owner_all, error);
  if (error)
    return fail(ErrorKind::io, fmt::format("cannot protect {}: {}", folder.string(), error.message()));
  std::size_t count = 0;
  for (const auto& [path, inode] : tree) {
    const fs::path target = folder / path;
    if (inode->type == rootfs::FileType::directory) CHECK_OK(make_directories(target));
    if (inode->type != rootfs::FileType::regular) continue;
    TRY(const std::string text, inode->content.read());
    CHECK_OK(write_file(target, text, 0600));
    ++count;
  }
  return count;
}

}  // namespace mailstead::pipeline
