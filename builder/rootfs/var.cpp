// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/var.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailstead::rootfs {

namespace {

constexpr std::string_view kMakesDirectory = "dDvqQ";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("/._-+,:=@%").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// '%' starts a specifier in paths and arguments alike.
std::string double_percents(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '%' ? "%%" : std::string(1, c);
  return result;
}

/// A path as the second field of a line. In quotes, because systemd before 254 takes "\x20" outside of quotes
/// for "x20"; backslash and quote are the two characters that all versions unescape in the same way there.
std::string path_field(std::string_view path) {
  std::string text = double_percents(path);
  if (std::all_of(text.begin(), text.end(), is_plain)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

/// The rest of a line, which has no quotes but C escapes.
std::string argument_field(std::string_view argument) {
  std::string result;
  for (const char c : double_percents(argument)) {
    result += is_plain(c) ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
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
        if (kMakesDirectory.find(type) != std::string_view::npos || type == 'L') declared.emplace(path, type);
      }
    }
  }
  return declared;
}

/// The declared symlink that leads from `path` to somewhere else, if there is one: /var/run and what is below
/// it.
std::string_view declared_link_above(const std::map<std::string, char>& declared, std::string_view path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    const auto found = declared.find(std::string(path.substr(0, slash)));
    if (found != declared.end() && found->second == 'L') return found->first;
  }
  return {};
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
  std::vector<std::pair<std::string, std::shared_ptr<Inode>>> links;
  const FileTree var = tree.subtree("var");
  for (const auto& [path, inode] : var) {
    if (std::any_of(path.begin(), path.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
      return fail(ErrorKind::internal,
                  "a name below /var holds control characters, which tmpfiles.d cannot say");
    }
    const auto slash = path.rfind('/');
    const Inode* parent =
        slash == std::string::npos ? nullptr : var.find(std::string_view(path).substr(0, slash));
    if (parent != nullptr && parent->uid != 0 && parent->uid != inode->uid) {
      return fail(ErrorKind::internal,
                  fmt::format("/var/{} belongs to uid {}, but lies in a directory of uid {}", path,
                              inode->uid, parent->uid),
                  "give both the same owner in the overlay");
    }
    const std::string escaped = path_field("/var/" + path);
    if (const auto link = declared_link_above(declared, escaped); !link.empty()) {
      if (inode->type != FileType::regular) continue;  // of no use behind a link into /run
      return fail(ErrorKind::internal,
                  fmt::format("file '/var/{}' lies below '{}', which will be a symlink", path, link));
    }
    // What packages declare themselves wins over the directory they ship: base-files has a directory
    // /var/run, which its postinst replaces by the link that systemd declares.
    if (inode->type != FileType::regular && declared.contains(escaped)) continue;
    switch (inode->type) {
      case FileType::directory:
        lines += fmt::format("d {} {:04o} {} {} -\n", escaped, inode->mode, inode->uid, inode->gid);
        break;
      case FileType::symlink:
        lines += fmt::format("L {} - - - - {}\n", escaped, argument_field(inode->target));
        links.emplace_back(path, inode);
        break;
      case FileType::regular:
        lines += fmt::format("C {} {:04o} {} {} - /{}/{}\n", escaped, inode->mode, inode->uid, inode->gid,
                             kVarFactory, argument_field(path));
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
  for (auto& [path, inode] : links) CHECK_OK(tree.put_shared("var/" + path, std::move(inode)));
  for (auto& [path, inode] : files) {
    CHECK_OK(tree.put_shared(fmt::format("{}/{}", kVarFactory, path), std::move(inode)));
  }
  Inode declaration = made(FileType::regular, 0644, clock);
  declaration.content = Content(std::move(lines));
  return tree.put(kVarDeclaration, std::move(declaration));
}

}  // namespace mailstead::rootfs
