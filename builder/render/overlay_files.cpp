// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/overlay_files.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <system_error>

namespace mailstead::render {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> unreadable(const fs::path& path, const std::error_code& error) {
  return fail(ErrorKind::io, fmt::format("cannot read {}: {}", path.string(), error.message()));
}

bool is_glob(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos;
}

Result<std::uint32_t> user_id(const overlay::Accounts& accounts, const std::string& name) {
  for (const overlay::User& user : accounts.users)
    if (user.name == name) return user.uid;
  return fail(ErrorKind::usage, fmt::format("there is no user '{}'", name),
              "declare it in the manifest of an overlay");
}

Result<std::uint32_t> group_id(const overlay::Accounts& accounts, const std::string& name) {
  for (const overlay::Group& group : accounts.groups)
    if (group.name == name) return group.gid;
  return fail(ErrorKind::usage, fmt::format("there is no group '{}'", name),
              "declare it in the manifest of an overlay");
}

Status set_one(const Overlay::Attributes& attributes, const overlay::Accounts& accounts,
               rootfs::Inode& inode) {
  TRY(inode.uid, user_id(accounts, attributes.owner));
  TRY(inode.gid, group_id(accounts, attributes.group));
  if (attributes.mode) inode.mode = *attributes.mode;
  return ok();
}

Status set_attributes_of(const Overlay::Attributes& attributes, const Overlay& overlay,
                         const overlay::Accounts& accounts, Scope scope, std::int64_t clock,
                         rootfs::FileTree& tree) {
  if (is_glob(attributes.path)) {
    std::vector<std::string> matches;
    for (const auto& [path, inode] : tree)
      if (inode->type != rootfs::FileType::symlink && is_public(path) == is_public(attributes.path) &&
          ::fnmatch(attributes.path.c_str(), path.c_str(), 0) == 0)
        matches.push_back(path);
    for (const std::string& path : matches) CHECK_OK(set_one(attributes, accounts, *tree.find(path)));
    return ok();
  }
  const bool is_directory = attributes.path.back() == '/';
  const std::string path =
      is_directory ? attributes.path.substr(0, attributes.path.size() - 1) : attributes.path;
  rootfs::Inode* inode = tree.find(path);
  if (inode == nullptr && is_directory) {
    rootfs::Inode made;
    made.type = rootfs::FileType::directory;
    made.mode = 0755;
    made.mtime = clock;
    made.origin = overlay.name;
    CHECK_OK(tree.put(path, std::move(made)));
    inode = tree.find(path);
  }
  if (inode == nullptr) {
    // A file outside usr/ may still be rendered from the site.
    if (scope == Scope::public_part && !is_public(path)) return ok();
    return fail(ErrorKind::usage, fmt::format("'files' names {}, which is not in the image", path));
  }
  if (is_directory != (inode->type == rootfs::FileType::directory))
    return fail(ErrorKind::usage, fmt::format("'files' names {}, but that is {} directory", attributes.path,
                                              is_directory ? "no" : "a"));
  return set_one(attributes, accounts, *inode);
}

}  // namespace

Result<rootfs::Inode> read_inode(const Overlay& overlay, const OverlayFile& file, std::int64_t clock) {
  rootfs::Inode inode;
  inode.mtime = clock;
  inode.origin = overlay.name;
  std::error_code error;
  const fs::file_status status = fs::symlink_status(file.source, error);
  if (error) return unreadable(file.source, error);
  if (fs::is_symlink(status)) {
    const fs::path target = fs::read_symlink(file.source, error);
    if (error) return unreadable(file.source, error);
    return rootfs::symlink_inode(target.string(), clock, overlay.name);
  }
  // Only the executable bit is taken from the source, as in git: the rest depends on the umask of whoever
  // checked it out.
  const bool executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
  inode.mode = executable ? 0755 : 0644;
  TRY(std::string bytes, read_file(file.source));
  inode.content = rootfs::Content(std::move(bytes));
  return inode;
}

Status put_link(const Overlay& overlay, const std::string& path, const std::string& target,
                std::int64_t clock, rootfs::FileTree& tree) {
  return tree.put(path, rootfs::symlink_inode(target, clock, overlay.name));
}

std::vector<std::string> conditions_of(const Overlay& overlay, std::string_view path) {
  std::vector<std::string> conditions;
  if (!overlay.when.empty()) conditions.push_back(overlay.when);
  const std::string name(path);
  for (const Overlay::Attributes& entry : overlay.files)
    if (!entry.when.empty() && ::fnmatch(entry.path.c_str(), name.c_str(), 0) == 0)
      conditions.push_back(entry.when);
  return conditions;
}

Status set_attributes(const Overlay& overlay, const overlay::Accounts& accounts, Scope scope,
                      const std::function<Result<bool>(const std::string& path)>& wanted, std::int64_t clock,
                      rootfs::FileTree& tree) {
  for (const Overlay::Attributes& attributes : overlay.files) {
    if (scope == Scope::site_part && is_public(attributes.path)) continue;
    TRY(const bool applies, wanted(attributes.path));
    if (!applies) continue;
    auto set = set_attributes_of(attributes, overlay, accounts, scope, clock, tree);
    if (!set)
      return fail(
          std::move(set).error().with_note(fmt::format("in the manifest of the overlay '{}'", overlay.name)));
  }
  return ok();
}

}  // namespace mailstead::render
