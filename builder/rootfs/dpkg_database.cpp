// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "rootfs/compose.hpp"

namespace mailstead::rootfs {

namespace {

/// The stanza with its Status, in the place where dpkg writes it.
std::string status_stanza(const ControlData& control) {
  const auto first_line_end = control.stanza.starts_with("Package:") ? control.stanza.find('\n') + 1 : 0;
  return control.stanza.substr(0, first_line_end) + "Status: install ok installed\n" +
         control.stanza.substr(first_line_end) + "\n";
}

/// dpkg lists a path and all the folders above it, "/." first.
std::string file_list(const ComposedPackage& package, const FileTree& tree) {
  std::string text = "/.\n";
  for (const std::string& path : package.paths) {
    const Inode* inode = tree.find(path);
    if (inode == nullptr) continue;
    // A file that another package Replaces is that package's.
    if (inode->type != FileType::directory && inode->origin != package.control.name) continue;
    text += "/" + path + "\n";
  }
  return text;
}

/// The lines of the package's md5sums whose files are in the tree, under the paths where they are.
std::string md5sums(const ControlData& control, const FileTree& tree) {
  std::string result;
  std::string_view text = control.file("md5sums");
  while (!text.empty()) {
    const auto newline = text.find('\n');
    const auto line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    const auto gap = line.find("  ");
    if (gap == std::string_view::npos) continue;
    auto path = line.substr(gap + 2);
    if (path.starts_with("./")) path.remove_prefix(2);
    const Inode* inode = tree.find(path);
    if (inode == nullptr || inode->origin != control.name) continue;
    if (const auto canonical = tree.canonical(path))
      result += fmt::format("{}  {}\n", line.substr(0, gap), *canonical);
  }
  return result;
}

Inode text_file(std::string text, std::int64_t clock) {
  return Inode{.type = FileType::regular,
               .mode = 0644,
               .uid = 0,
               .gid = 0,
               .mtime = clock,
               .content = Content(std::move(text)),
               .target = {},
               .xattrs = {},
               .origin = "mailstead"};
}

/// Lays what a package has at usr/share/doc/<package>/copyright (Debian Policy 12.5) and lists it. That
/// folder may be a symlink to the one of another package of the same source.
Status lay_licence(const UnpackedDeb& deb, std::int64_t clock, Composed& composed) {
  const std::string folder = "usr/share/doc/" + deb.control.name;
  ComposedPackage package{deb.control, {}};
  for (const auto& entry : deb.entries) {
    const bool link = entry.path == folder && entry.inode->type == FileType::symlink;
    if (!link && entry.path != folder + "/copyright") continue;
    Inode inode = *entry.inode;
    inode.mtime = std::clamp<std::int64_t>(inode.mtime, 0, clock);
    CHECK_OK(composed.tree.put(entry.path, std::move(inode)));
    package.paths.push_back(entry.path);
  }
  composed.packages.push_back(std::move(package));
  return ok();
}

Status check_licence(const FileTree& tree, const std::string& package) {
  const std::string path = fmt::format("usr/share/doc/{}/copyright", package);
  if (tree.find(path) != nullptr) return ok();
  return fail(ErrorKind::integrity, fmt::format("the package {} brings no licence file {}", package, path),
              "its folder may be a link to that of another package, which has to be in the system, in the "
              "initrd or in 'boot' of the profile too");
}

}  // namespace

Status add_dpkg_database(Composed& composed, const std::vector<const UnpackedDeb*>& elsewhere,
                         std::int64_t clock) {
  FileTree& tree = composed.tree;
  for (const UnpackedDeb* deb : elsewhere) CHECK_OK(lay_licence(*deb, clock, composed));
  for (const UnpackedDeb* deb : elsewhere) CHECK_OK(check_licence(tree, deb->control.name));
  const std::string database = kDpkgDatabase;
  tree.remove("var/lib/dpkg");
  std::string status;
  for (const ComposedPackage& package : composed.packages) {
    const ControlData& control = package.control;
    status += status_stanza(control);
    const std::string name =
        control.field("Multi-Arch") == "same" ? control.name + ":" + control.architecture : control.name;
    const std::string base = fmt::format("{}/info/{}", database, name);
    CHECK_OK(tree.put(base + ".list", text_file(file_list(package, tree), clock)));
    if (std::string sums = md5sums(control, tree); !sums.empty()) {
      CHECK_OK(tree.put(base + ".md5sums", text_file(std::move(sums), clock)));
    }
  }
  CHECK_OK(tree.put(database + "/status", text_file(std::move(status), clock)));
  return tree.put("var/lib/dpkg", symlink_inode("../../" + database, clock, "mailstead"));
}

}  // namespace mailstead::rootfs
