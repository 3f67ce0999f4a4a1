// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/var.hpp"

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailstead::rootfs {

namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("/._-+,:=@").find(c) != std::string_view::npos;
}

/// A path or target as a field of tmpfiles.d(5): C escapes are undone by systemd, and '%' starts a specifier.
std::string escape(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '%') {
      result += "%%";
    } else if (is_plain(c)) {
      result += c;
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

/// The types ('d', 'L', …) of the lines for /var in the tmpfiles.d files of the tree, by escaped path. Quoted
/// paths and specifiers do not occur there in what Debian ships; a line not understood only costs a message
/// about a duplicate.
Result<std::map<std::string, char>> declared_paths(const FileTree& tree) {
  std::map<std::string, char> declared;
  for (const std::string_view folder : {"etc/tmpfiles.d", "usr/lib/tmpfiles.d"}) {
    for (const auto& [name, inode] : tree.subtree(folder)) {
      if (inode->type != FileType::regular || !name.ends_with(".conf")) continue;
      TRY(const std::string text, inode->content.read());
      std::string_view rest = text;
      while (!rest.empty()) {
        const auto newline = rest.find('\n');
        const auto line = rest.substr(0, newline);
        rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
        const auto start = line.find_first_not_of(" \t");
        if (start == std::string_view::npos || line[start] == '#') continue;
        const char type = line[start];
        const auto gap = line.find_first_of(" \t", start);
        const auto path_start = line.find_first_not_of(" \t", gap);
        if (gap == std::string_view::npos || path_start == std::string_view::npos) continue;
        auto path = line.substr(path_start);
        path = path.substr(0, path.find_first_of(" \t"));
        while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
        declared.emplace(path, type);
      }
    }
  }
  return declared;
}

bool declares(const std::map<std::string, char>& declared, const std::string& path, std::string_view types) {
  const auto found = declared.find(path);
  return found != declared.end() && types.find(found->second) != std::string_view::npos;
}

Inode made(FileType type, std::uint32_t mode, std::int64_t clock) {
  Inode inode;
  inode.type = type;
  inode.mode = mode;
  inode.mtime = clock;
  inode.origin = "mailstead";
  return inode;
}

}  // namespace

Status declare_var(FileTree& tree, std::int64_t clock) {
  TRY(const auto declared, declared_paths(tree));
  std::string lines =
      "# What the packages have in /var, which is a data partition: made at every boot where it is "
      "missing.\n";
  std::vector<std::pair<std::string, std::shared_ptr<Inode>>> files;
  const FileTree var = tree.subtree("var");
  for (const auto& [path, inode] : var) {
    const auto slash = path.rfind('/');
    const Inode* parent =
        slash == std::string::npos ? nullptr : var.find(std::string_view(path).substr(0, slash));
    if (parent != nullptr && parent->uid != 0 && parent->uid != inode->uid) {
      return fail(ErrorKind::internal,
                  fmt::format("/var/{} belongs to uid {}, but lies in a directory of uid {}", path,
                              inode->uid, parent->uid),
                  "give both the same owner in the overlay");
    }
    const std::string escaped = "/var/" + escape(path);
    switch (inode->type) {
      case FileType::directory:
        if (declares(declared, escaped, "dDvqQ")) break;
        lines += fmt::format("d {} {:04o} {} {} -\n", escaped, inode->mode, inode->uid, inode->gid);
        break;
      case FileType::symlink:
        if (declares(declared, escaped, "L")) break;
        lines += fmt::format("L {} - - - - {}\n", escaped, escape(inode->target));
        break;
      case FileType::regular:
        lines += fmt::format("C {} {:04o} {} {} - /{}/{}\n", escaped, inode->mode, inode->uid, inode->gid,
                             kVarFactory, escape(path));
        files.emplace_back(path, inode);
        break;
    }
  }
  const Inode* old_var = tree.find("var");
  Inode empty_var = old_var != nullptr && old_var->type == FileType::directory
                        ? *old_var
                        : made(FileType::directory, 0755, clock);
  tree.remove("var");
  CHECK_OK(tree.put("var", std::move(empty_var)));
  for (auto& [path, inode] : files) {
    CHECK_OK(tree.put_shared(fmt::format("{}/{}", kVarFactory, path), std::move(inode)));
  }
  Inode declaration = made(FileType::regular, 0644, clock);
  declaration.content = Content(std::move(lines));
  return tree.put(kVarDeclaration, std::move(declaration));
}

}  // namespace mailstead::rootfs
