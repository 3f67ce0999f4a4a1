// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/diff_trees.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.hpp"
#include "crypto/digest.hpp"

namespace mailstead::inspect {
namespace {

using rootfs::FileType;
using rootfs::Inode;

Result<crypto::Sha256Digest> digest_of(const rootfs::Content& content) {
  crypto::Sha256 hash;
  CHECK_OK(content.stream([&](const char* data, std::size_t size) -> Status {
    hash.update({data, size});
    return ok();
  }));
  return hash.finish();
}

Result<bool> same_content(const rootfs::Content& before, const rootfs::Content& after) {
  if (before.size() != after.size()) return false;
  TRY(const auto first, digest_of(before));
  TRY(const auto second, digest_of(after));
  return first == second;
}

const char* name_of(FileType type) {
  if (type == FileType::directory) return "folder";
  return type == FileType::symlink ? "link" : "file";
}

Result<FileDifference> diff_inodes(const std::string& path, const Inode& before, const Inode& after) {
  FileDifference difference{path, Change::changed, {}, false};
  auto& what = difference.what;
  if (before.type != after.type) {
    what.push_back(fmt::format("{} -> {}", name_of(before.type), name_of(after.type)));
  } else if (before.type == FileType::regular) {
    TRY(const bool same, same_content(before.content, after.content));
    difference.content = !same;
    if (!same)
      what.push_back(
          before.content.size() == after.content.size()
              ? "content"
              : fmt::format("content, {} -> {} bytes", before.content.size(), after.content.size()));
  } else if (before.target != after.target) {
    what.push_back(fmt::format("target {} -> {}", printable(before.target), printable(after.target)));
  }
  if (before.mode != after.mode)
    what.push_back(fmt::format("mode {:04o} -> {:04o}", before.mode, after.mode));
  if (before.uid != after.uid || before.gid != after.gid)
    what.push_back(fmt::format("owner {}:{} -> {}:{}", before.uid, before.gid, after.uid, after.gid));
  if (before.xattrs != after.xattrs) what.emplace_back("extended attributes");
  return difference;
}

}  // namespace

Result<std::vector<FileDifference>> diff_trees(const rootfs::FileTree& before,
                                               const rootfs::FileTree& after) {
  std::vector<FileDifference> differences;
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    if (now == after.end() || (old != before.end() && old->first < now->first)) {
      differences.push_back({old->first, Change::removed, {}, old->second->type == FileType::regular});
      ++old;
    } else if (old == before.end() || now->first < old->first) {
      differences.push_back({now->first, Change::added, {}, now->second->type == FileType::regular});
      ++now;
    } else {
      TRY(FileDifference difference, diff_inodes(old->first, *old->second, *now->second));
      if (!difference.what.empty()) differences.push_back(std::move(difference));
      ++old;
      ++now;
    }
  }
  return differences;
}

bool is_public(const rootfs::FileTree& tree, const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const Inode* folder = tree.find(path.substr(0, slash));
    if (folder == nullptr || (folder->mode & 0001) == 0) return false;
  }
  const Inode* file = tree.find(path);
  return file != nullptr && file->type == FileType::regular && (file->mode & 0004) != 0;
}

}  // namespace mailstead::inspect
