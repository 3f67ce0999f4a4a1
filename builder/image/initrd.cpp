// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/initrd.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "text/split.hpp"
#include "tools/generate.hpp"

namespace mailstead::image {
namespace {

std::string normal_name(std::string_view name) {
  std::string normal(name);
  std::replace(normal.begin(), normal.end(), '-', '_');
  return normal;
}

/// Takes the next line off `text`, without its newline.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

rootfs::Inode make_inode(rootfs::FileType type, unsigned mode, std::int64_t clock) {
  rootfs::Inode inode;
  inode.type = type;
  inode.mode = mode;
  inode.mtime = clock;
  inode.origin = "initrd";
  return inode;
}

Result<std::string> read_text(const rootfs::FileTree& tree, const std::string& path) {
  const rootfs::Inode* inode = tree.find(path);
  if (inode == nullptr || inode->type != rootfs::FileType::regular)
    return fail(ErrorKind::integrity, fmt::format("the system has no /{}", path));
  return inode->content.read();
}

Status copy_modules(const rootfs::FileTree& system, const std::string& release,
                    const std::vector<std::string>& modules, rootfs::FileTree& tree) {
  const std::string home = "usr/lib/modules/" + release;
  TRY(const std::string dependencies, read_text(system, home + "/modules.dep"));
  TRY(const std::string soft, read_text(system, home + "/modules.softdep"));
  TRY(const std::string builtin, read_text(system, home + "/modules.builtin"));
  TRY(const ModuleIndex index, ModuleIndex::parse(dependencies, soft, builtin));
  TRY(std::vector<std::string> files, index.closure(modules));
  for (const char* name : {"modules.builtin", "modules.builtin.modinfo", "modules.order"})
    files.emplace_back(name);
  for (const std::string& file : files) {
    const std::string path = fmt::format("{}/{}", home, file);
    const rootfs::Inode* inode = system.find(path);
    if (inode == nullptr) return fail(ErrorKind::integrity, fmt::format("the system has no /{}", path));
    CHECK_OK(tree.put(path, *inode));
  }
  return ok();
}

Status add_release(rootfs::FileTree& tree, std::int64_t clock) {
  TRY(std::string text, read_text(tree, "usr/lib/os-release"));
  if (!text.ends_with('\n')) text += '\n';
  text += "VARIANT=\"initrd\"\nVARIANT_ID=initrd\n";
  // systemd looks for this file to know that it is in an initrd.
  rootfs::Inode file = make_inode(rootfs::FileType::regular, 0644, clock);
  file.content = rootfs::Content(std::move(text));
  return tree.put("etc/initrd-release", std::move(file));
}

}  // namespace

std::string module_name(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  return normal_name(path.substr(0, path.find(".ko")));
}

Result<ModuleIndex> ModuleIndex::parse(std::string_view dependencies, std::string_view soft_dependencies,
                                       std::string_view builtin) {
  ModuleIndex index;
  while (!dependencies.empty()) {
    const std::string_view line = take_line(dependencies);
    if (line.empty()) continue;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return fail(ErrorKind::integrity, fmt::format("modules.dep has the line '{}'", line));
    std::string path(line.substr(0, colon));
    index.paths_[module_name(path)] = path;
    index.needs_[std::move(path)] = text::to_strings(text::split_words(line.substr(colon + 1)));
  }
  while (!soft_dependencies.empty()) {
    // "softdep NAME pre: A B post: C"
    const auto words = text::split_words(take_line(soft_dependencies));
    if (words.size() < 3 || words[0] != "softdep") continue;
    auto& needs = index.soft_[normal_name(words[1])];
    for (std::size_t i = 2; i < words.size(); ++i) {
      if (words[i] != "pre:" && words[i] != "post:") needs.push_back(normal_name(words[i]));
    }
  }
  while (!builtin.empty()) {
    const std::string_view line = take_line(builtin);
    if (!line.empty()) index.builtin_.insert(module_name(line));
  }
  return index;
}

Result<std::vector<std::string>> ModuleIndex::closure(const std::vector<std::string>& names) const {
  std::set<std::string> chosen;
  std::vector<std::string> unknown;
  std::vector<std::string> open;  // paths to look at
  const auto choose = [&](const std::string& path) {
    if (chosen.insert(path).second) open.push_back(path);
  };
  for (const std::string& name : names) {
    if (const auto path = paths_.find(normal_name(name)); path != paths_.end()) {
      choose(path->second);
    } else if (!builtin_.contains(normal_name(name))) {
      unknown.push_back(name);
    }
  }
  if (!unknown.empty())
    return fail(ErrorKind::usage, fmt::format("the kernel has no module {}", fmt::join(unknown, ", ")),
                "correct 'initrd_modules' in the profile");
  while (!open.empty()) {
    const std::string path = std::move(open.back());
    open.pop_back();
    if (const auto needs = needs_.find(path); needs != needs_.end()) {
      for (const std::string& need : needs->second) choose(need);
    }
    if (const auto soft = soft_.find(module_name(path)); soft != soft_.end()) {
      for (const std::string& name : soft->second) {
        // A soft dependency is a wish: often for an architecture that this kernel is not for.
        if (const auto wish = paths_.find(name); wish != paths_.end()) choose(wish->second);
      }
    }
  }
  return std::vector<std::string>(chosen.begin(), chosen.end());
}

Status finish_initrd(rootfs::FileTree& tree, const rootfs::FileTree& system, const std::string& release,
                     const std::vector<std::string>& modules, const tools::Toolbox& toolbox,
                     const std::filesystem::path& scratch, std::int64_t clock) {
  for (const char* path : {"dev", "proc", "root", "run", "sys", "sysroot", "tmp", "var"}) {
    if (tree.find(path) == nullptr)
      CHECK_OK(tree.put(path, make_inode(rootfs::FileType::directory, 0755, clock)));
  }
  rootfs::Inode init = make_inode(rootfs::FileType::symlink, 0777, clock);
  init.target = "usr/lib/systemd/systemd";
  if (tree.find(init.target) == nullptr)
    return fail(ErrorKind::usage, "the initrd has no systemd", "add systemd-sysv to 'initrd' in the profile");
  CHECK_OK(tree.put("init", std::move(init)));
  // An id baked into the initrd would be the same on every machine.
  tree.remove("etc/machine-id");
  CHECK_OK(add_release(tree, clock));

  tree.remove("usr/lib/modules");
  CHECK_OK(copy_modules(system, release, modules, tree));
  const tools::Generator generator{toolbox, scratch, clock};
  TRY(auto index, tools::make_module_index(generator, tree));
  TRY(auto libraries, tools::make_library_cache(generator, tree));
  CHECK_OK(tools::lay(std::move(index), tree));
  return tools::lay(std::move(libraries), tree);
}

}  // namespace mailstead::image
