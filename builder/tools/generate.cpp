// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "base/threads.hpp"
#include "tools/folder.hpp"

namespace fs = std::filesystem;

namespace mailstead::tools {
namespace {

constexpr const char* kOrigin = "generated";

rootfs::Inode make_file(const Generator& generator, std::string bytes) {
  rootfs::Inode inode;
  inode.mode = 0644;
  inode.mtime = generator.clock;
  inode.content = rootfs::Content(std::move(bytes));
  inode.origin = kOrigin;
  return inode;
}

rootfs::Inode make_link(const Generator& generator, std::string target) {
  return rootfs::symlink_inode(std::move(target), generator.clock, kOrigin);
}

Status run_tool(const Generator& generator, const std::string& program,
                const std::vector<std::string>& arguments) {
  TRY(const Command command, generator.toolbox.command(program, arguments));
  CHECK_OK(run(command));
  return ok();
}

/// The file that a tool made on disk is to become `path` of the tree.
Status take_file(const Generator& generator, const fs::path& folder, const std::string& path, Files& files) {
  TRY(std::string bytes, read_file(folder / path));
  files.emplace_back(path, make_file(generator, std::move(bytes)));
  return ok();
}

Result<Files> take_one(const Generator& generator, const fs::path& folder, const std::string& path) {
  Files files;
  CHECK_OK(take_file(generator, folder, path, files));
  return files;
}

bool below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() + 1 && path.starts_with(folder) && path[folder.size()] == '/';
}

/// Copies the paths that `wanted` picks, folders above them included, and the symlinks at the top ("lib" and
/// so on).
template <class Predicate>
Result<rootfs::FileTree> pick(const rootfs::FileTree& tree, Predicate wanted) {
  rootfs::FileTree picked;
  for (const auto& [path, inode] : tree) {
    const bool top_link = inode->type == rootfs::FileType::symlink && path.find('/') == std::string::npos;
    if (top_link || wanted(path, *inode)) CHECK_OK(picked.put(path, *inode));
  }
  return picked;
}

Result<TemporaryDirectory> write_picked(const Generator& generator, const rootfs::FileTree& picked) {
  TRY(TemporaryDirectory folder, TemporaryDirectory::create(generator.scratch));
  CHECK_OK(write_folder(picked, folder.path()));
  return folder;
}

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// Folders that ld.so.conf files name, as canonical paths of `tree`. Their lines are folders, comments or
/// includes; the only include that Debian has is etc/ld.so.conf.d/*.conf, which is read anyway.
Result<std::set<std::string, std::less<>>> library_folders(const rootfs::FileTree& tree) {
  std::set<std::string, std::less<>> folders{"usr/lib", "usr/lib64"};
  for (const auto& [path, inode] : tree) {
    if (inode->type != rootfs::FileType::regular) continue;
    if (path != "etc/ld.so.conf" && !(below(path, "etc/ld.so.conf.d") && path.ends_with(".conf"))) continue;
    TRY(const std::string text, inode->content.read());
    std::size_t start = 0;
    while (start < text.size()) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      std::string_view line = std::string_view(text).substr(start, end - start);
      start = end + 1;
      line = line.substr(0, line.find('#'));
      while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '/'))
        line.remove_suffix(1);
      if (line.size() < 2 || line.front() != '/') continue;
      if (auto folder = tree.canonical(line.substr(1))) folders.insert(*folder);
    }
  }
  return folders;
}

/// The two beginnings and the ".so" are ldconfig's own filter (elf/ldconfig.c, search_dir).
bool may_be_library(std::string_view path, const std::set<std::string, std::less<>>& folders) {
  const std::string_view name = name_of(path);
  if (!(name.starts_with("lib") || name.starts_with("ld-") || name.starts_with("ld.so")) ||
      name.find(".so") == std::string_view::npos) {
    return false;
  }
  std::string_view folder = parent_of(path);
  if (const auto variant = folder.find("/glibc-hwcaps/"); variant != std::string_view::npos)
    folder = folder.substr(0, variant);
  return folders.contains(folder);
}

}  // namespace

Result<Files> make_library_cache(const Generator& generator, const rootfs::FileTree& tree) {
  if (!platform::facts_of(generator.architecture).library_cache || tree.find("etc/ld.so.conf") == nullptr)
    return Files();
  TRY(const auto folders, library_folders(tree));
  TRY(const rootfs::FileTree picked, pick(tree, [&](const std::string& path, const rootfs::Inode& inode) {
        if (inode.type == rootfs::FileType::directory) return folders.contains(path) || path == "etc";
        return path == "etc/ld.so.conf" || below(path, "etc/ld.so.conf.d") || may_be_library(path, folders);
      }));
  TRY(const TemporaryDirectory folder, write_picked(generator, picked));
  // -X: the packages bring their links. -i: no auxiliary cache, which would hold inode numbers and times.
  CHECK_OK(run_tool(generator, "ldconfig", {"-X", "-i", "-r", folder.path().string()}));
  return take_one(generator, folder.path(), "etc/ld.so.cache");
}

Result<Files> make_module_index(const Generator& generator, const rootfs::FileTree& tree) {
  Files made;
  std::set<std::string> releases;
  for (const auto& [path, inode] : tree) {
    if (inode->type == rootfs::FileType::directory && parent_of(path) == "usr/lib/modules")
      releases.emplace(name_of(path));
  }
  for (const std::string& release : releases) {
    const std::string home = "usr/lib/modules/" + release;
    TRY(const rootfs::FileTree picked, pick(tree, [&](const std::string& path, const rootfs::Inode&) {
          return below(path, home) || below(path, "usr/lib/depmod.d") || below(path, "etc/depmod.d");
        }));
    rootfs::FileTree files = picked;
    if (files.find("lib") == nullptr) CHECK_OK(files.put("lib", make_link(generator, "usr/lib")));
    TRY(const TemporaryDirectory folder, write_picked(generator, files));
    // Both folders are named, as depmod -b still reads those of the build host.
    std::vector<std::string> arguments{"-b", folder.path().string()};
    for (const char* configuration : {"usr/lib/depmod.d", "etc/depmod.d"}) {
      CHECK_OK(make_directories(folder.path() / configuration));
      arguments.insert(arguments.end(), {"-C", (folder.path() / configuration).string()});
    }
    arguments.push_back(release);
    CHECK_OK(run_tool(generator, "depmod", arguments));
    for (const char* name :
         {"modules.alias", "modules.alias.bin", "modules.builtin.alias.bin", "modules.builtin.bin",
          "modules.dep", "modules.dep.bin", "modules.devname", "modules.softdep", "modules.symbols",
          "modules.symbols.bin", "modules.weakdep"}) {
      const std::string path = home + "/" + name;
      if (fs::exists(folder.path() / path)) CHECK_OK(take_file(generator, folder.path(), path, made));
    }
  }
  return made;
}

Result<Files> make_hardware_database(const Generator& generator, const rootfs::FileTree& tree) {
  TRY(const rootfs::FileTree picked, pick(tree, [](const std::string& path, const rootfs::Inode& inode) {
        return inode.type == rootfs::FileType::regular &&
               (below(path, "usr/lib/udev/hwdb.d") || below(path, "etc/udev/hwdb.d"));
      }));
  if (picked.find("usr/lib/udev/hwdb.d") == nullptr) return Files();
  TRY(const TemporaryDirectory folder, write_picked(generator, picked));
  // Not systemd-hwdb: it also stores the full path of each source, the random name of our folder with it.
  CHECK_OK(run_tool(generator, "udevadm", {"hwdb", "--update", "--usr", "--root=" + folder.path().string()}));
  return take_one(generator, folder.path(), "usr/lib/udev/hwdb.bin");
}

Result<Files> make_message_catalog(const Generator& generator, const rootfs::FileTree& tree) {
  TRY(const rootfs::FileTree picked, pick(tree, [](const std::string& path, const rootfs::Inode& inode) {
        return inode.type == rootfs::FileType::regular && below(path, "usr/lib/systemd/catalog");
      }));
  if (picked.find("usr/lib/systemd/catalog") == nullptr) return Files();
  TRY(const TemporaryDirectory folder, write_picked(generator, picked));
  CHECK_OK(make_directories(folder.path() / "var/lib/systemd/catalog"));
  CHECK_OK(run_tool(generator, "journalctl", {"--root=" + folder.path().string(), "--update-catalog"}));
  return take_one(generator, folder.path(), "var/lib/systemd/catalog/database");
}

std::string certificate_link_name(std::string_view file_name) {
  std::string name(file_name.substr(0, file_name.rfind(".crt")));
  for (char& c : name) {
    if (c == ' ' || c == ',') c = '_';
    if (c == '(' || c == ')') c = '=';
  }
  return name + ".pem";
}

Result<Files> make_certificate_bundle(const Generator& generator, const rootfs::FileTree& tree) {
  constexpr std::string_view kSources = "usr/share/ca-certificates";
  const std::string certs = "etc/ssl/certs";
  std::string bundle;
  std::string configuration;
  rootfs::FileTree folder_of_certificates;
  std::map<std::string, std::string> links;  // name in etc/ssl/certs to target
  for (const auto& [path, inode] : tree) {
    if (inode->type != rootfs::FileType::regular || !below(path, kSources) || !path.ends_with(".crt"))
      continue;
    TRY(std::string text, inode->content.read());
    if (!text.ends_with('\n')) text += '\n';
    bundle += text;
    configuration += path.substr(kSources.size() + 1) + "\n";
    const std::string name = certificate_link_name(name_of(path));
    if (!links.emplace(name, "/" + path).second)
      return fail(ErrorKind::integrity, fmt::format("two certificates are called {}", name));
    CHECK_OK(folder_of_certificates.put(name, make_file(generator, std::move(text))));
  }
  if (links.empty()) return Files();

  TRY(const TemporaryDirectory folder, write_picked(generator, folder_of_certificates));
  CHECK_OK(run_tool(generator, "openssl", {"rehash", folder.path().string()}));
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder.path(), error)) {
    if (!entry.is_symlink()) continue;
    links.emplace(entry.path().filename().string(), fs::read_symlink(entry.path(), error).string());
  }
  if (error)
    return fail(ErrorKind::io, fmt::format("cannot list {}: {}", folder.path().string(), error.message()));
  Files made;
  for (auto& [name, target] : links)
    made.emplace_back(fmt::format("{}/{}", certs, name), make_link(generator, target));
  made.emplace_back(certs + "/ca-certificates.crt", make_file(generator, std::move(bundle)));
  made.emplace_back("etc/ca-certificates.conf", make_file(generator, std::move(configuration)));
  return made;
}

Status lay(Files files, rootfs::FileTree& tree) {
  for (auto& [path, inode] : files) CHECK_OK(tree.put(path, std::move(inode)));
  return ok();
}

Status generate_system_files(const Toolbox& toolbox, platform::Architecture architecture,
                             const fs::path& scratch, std::int64_t clock, rootfs::FileTree& tree,
                             Reporter& reporter) {
  struct Step {
    const char* name;
    Result<Files> (*make)(const Generator&, const rootfs::FileTree&);
  };
  constexpr Step kSteps[] = {{"library cache", make_library_cache},
                             {"kernel module index", make_module_index},
                             {"hardware database", make_hardware_database},
                             {"message catalog", make_message_catalog},
                             {"certificate bundle", make_certificate_bundle}};
  const auto activity = reporter.start("Generating system files", std::size(kSteps), Reporter::Unit::count);
  const Generator generator{toolbox, scratch, clock, architecture};
  // Side by side: none reads what another makes, and what they make is laid when all have ended.
  std::vector<std::future<Result<Files>>> all;
  for (const Step& step : kSteps)
    all.push_back(beside([&generator, &tree, make = step.make] { return make(generator, tree); }));
  for (const auto& made : all) made.wait();
  for (std::size_t i = 0; i < all.size(); ++i) {
    Result<Files> made = all[i].get();
    const Status laid = made ? lay(*std::move(made), tree) : fail(std::move(made).error());
    if (!laid)
      return fail(Error(laid.error()).with_note(fmt::format("while generating the {}", kSteps[i].name)));
    activity->advance();
  }
  activity->set_result(fmt::format("{}", std::size(kSteps)));
  return ok();
}

}  // namespace mailstead::tools
