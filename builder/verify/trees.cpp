// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify/trees.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "crypto/digest.hpp"

namespace mailstead::verify {
namespace {

using rootfs::FileTree;
using rootfs::FileType;
using rootfs::Inode;

const char* name_of(FileType type) {
  switch (type) {
    case FileType::directory:
      return "directory";
    case FileType::symlink:
      return "symlink";
    case FileType::regular:
      break;
  }
  return "file";
}

/// For each file the first of its names, in byte order: equal for equal sets of hard links.
std::map<std::string, std::string, std::less<>> first_names(const FileTree& tree) {
  std::map<const Inode*, std::string> first;  // looked up only
  std::map<std::string, std::string, std::less<>> names;
  for (const auto& [path, inode] : tree) {
    const auto& name = first.try_emplace(inode.get(), path).first->second;
    if (name != path) names[path] = name;
  }
  return names;
}

std::string list(const std::map<std::string, std::string>& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name,
                        crypto::to_hex(reinterpret_cast<const std::uint8_t*>(value.data()), value.size()));
  return text.empty() ? "no extended attributes" : text;
}

Status compare_content(const Inode& expected, const Inode& found,
                       const std::function<void(std::string, std::string)>& differs) {
  if (expected.content.size() == found.content.size()) {
    TRY(const std::string a, expected.content.read());
    TRY(const std::string b, found.content.read());
    if (a == b) return ok();
    differs("SHA-256 " + crypto::sha256_hex(a), "SHA-256 " + crypto::sha256_hex(b));
  } else {
    differs(fmt::format("{} bytes", expected.content.size()), fmt::format("{} bytes", found.content.size()));
  }
  return ok();
}

Status compare_inodes(const Inode& expected, const Inode& found, std::int64_t clock,
                      const std::function<void(std::string, std::string)>& differs) {
  if (expected.type != found.type) {
    differs(name_of(expected.type), name_of(found.type));
    return ok();
  }
  // Symlinks have no modes on Linux.
  if (expected.type != FileType::symlink && expected.mode != found.mode)
    differs(fmt::format("mode {:04o}", expected.mode), fmt::format("mode {:04o}", found.mode));
  if (expected.uid != found.uid || expected.gid != found.gid)
    differs(fmt::format("owner {}:{}", expected.uid, expected.gid),
            fmt::format("owner {}:{}", found.uid, found.gid));
  if (const std::int64_t time = std::min(expected.mtime, clock); time != found.mtime)
    differs(fmt::format("time {}", time), fmt::format("time {}", found.mtime));
  if (expected.target != found.target) differs("to " + expected.target, "to " + found.target);
  if (expected.xattrs != found.xattrs) differs(list(expected.xattrs), list(found.xattrs));
  return expected.type == FileType::regular ? compare_content(expected, found, differs) : ok();
}

}  // namespace

Status compare_trees(const FileTree& expected, const FileTree& found, std::int64_t clock,
                     const std::function<std::string(const std::string&)>& partition_of, Check& check) {
  const auto add = [&](const std::string& path, std::string wanted, std::string there) {
    check.add({"file", partition_of(path), path, {}, std::move(wanted), std::move(there)});
  };
  auto a = expected.begin();
  auto b = found.begin();
  while (a != expected.end() || b != found.end()) {
    if (b == found.end() || (a != expected.end() && a->first < b->first)) {
      add(a->first, name_of(a->second->type), "nothing");
      ++a;
    } else if (a == expected.end() || b->first < a->first) {
      add(b->first, "nothing", name_of(b->second->type));
      ++b;
    } else {
      CHECK_OK(compare_inodes(*a->second, *b->second, clock, [&](std::string wanted, std::string there) {
        add(a->first, std::move(wanted), std::move(there));
      }));
      ++a;
      ++b;
    }
  }
  const auto links = first_names(expected);
  const auto found_links = first_names(found);
  const auto say = [&](const auto& names, const std::string& path) {
    const auto name = names.find(path);
    return name == names.end() ? std::string("a file of its own") : "a hard link to " + name->second;
  };
  for (const auto& [path, name] : links)
    if (found.find(path) != nullptr && say(found_links, path) != say(links, path))
      add(path, say(links, path), say(found_links, path));
  for (const auto& [path, name] : found_links)
    if (!links.contains(path) && expected.find(path) != nullptr)
      add(path, say(links, path), say(found_links, path));
  return ok();
}

}  // namespace mailstead::verify
