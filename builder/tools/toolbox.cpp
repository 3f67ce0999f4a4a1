// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/toolbox.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <thread>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "crypto/digest.hpp"
#include "tools/complete.hpp"
#include "tools/elf.hpp"
#include "tools/folder.hpp"
#include "tools/full_disk.hpp"
#include "tools/scratch.hpp"

namespace fs = std::filesystem;

namespace mailstead::tools {
namespace {

/// Part of the folder's name: to be raised when what is unpacked, or how, changes.
constexpr const char* kFormat = "mailstead tools 6\n";

/// All programs that Mailstead starts out of a toolbox.
constexpr std::array kPrograms = {"mksquashfs", "unsquashfs", "veritysetup", "sfdisk",       "mkfs.fat",
                                  "mmd",        "mcopy",      "zstd",        "grub-mkimage", "depmod",
                                  "ldconfig",   "udevadm",    "journalctl",  "openssl"};

/// What no tool reads, but two thirds of the files: for people, for a running system, for development.
bool is_needless(std::string_view path) {
  for (const std::string_view folder :
       {"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/",
        "usr/share/bash-completion/", "usr/share/fish/", "usr/share/zsh/", "usr/share/perl5/",
        "usr/share/dbus-1/", "usr/share/polkit-1/", "usr/share/grub/", "usr/share/bug/", "usr/lib/systemd/",
        "usr/lib/udev/hwdb.d/", "usr/lib/udev/rules.d/", "usr/lib/grub/"}) {
    if (path.starts_with(folder)) return true;
  }
  return false;
}

fs::path folder_of(const fs::path& cache, std::vector<Toolbox::Package> packages) {
  std::sort(packages.begin(), packages.end(),
            [](const auto& a, const auto& b) { return a.sha256 < b.sha256; });
  crypto::Sha256 hash;
  hash.update(kFormat);
  for (const auto& package : packages) hash.update(package.sha256 + "\n");
  return fs::absolute(cache) / "tools" / crypto::to_hex(hash.finish());
}

/// One package of those that become a toolbox.
struct Part {
  std::string name;
  const rootfs::UnpackedDeb* deb;
};

Result<rootfs::FileTree> merge_packages(std::vector<Part> parts, Reporter::Activity& activity) {
  // The order decides if two packages bring one path; it must not depend on the caller.
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  rootfs::FileTree tree;
  for (const char* name : {"bin", "lib", "lib64", "sbin"}) {
    rootfs::Inode folder;
    folder.type = rootfs::FileType::directory;
    folder.mode = 0755;
    CHECK_OK(tree.put(std::string("usr/") + name, std::move(folder)));
    rootfs::Inode link;
    link.type = rootfs::FileType::symlink;
    link.target = std::string("usr/") + name;
    CHECK_OK(tree.put(name, std::move(link)));
  }
  for (const Part& part : parts) {
    CHECK_OK(check_interrupt());
    for (const auto& entry : part.deb->entries) {
      if (is_needless(entry.path)) continue;
      // base-files brings the usr-merge links itself; they are there already.
      if (const rootfs::Inode* there = tree.find(entry.path);
          there != nullptr && there->type == rootfs::FileType::symlink &&
          entry.inode->type == rootfs::FileType::symlink) {
        continue;
      }
      if (auto put = tree.put(entry.path, *entry.inode); !put)
        return fail(std::move(put.error()).with_note("while laying the tool package " + part.name));
    }
    activity.advance();
  }
  return tree;
}

/// Waits until nobody else writes tools into `tools`. The lock goes with the descriptor, also when we are
/// killed.
Result<FileDescriptor> lock_folder(const fs::path& tools) {
  const fs::path path = tools / ".lock";
  FileDescriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!lock)
    return fail(ErrorKind::io, fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail(cannot_lock(tools, errno));
    CHECK_OK(check_interrupt());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return lock;
}

Status rename_folder(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return ok();
  return fail(ErrorKind::io, fmt::format("cannot name {}: {}", to.string(), std::strerror(errno)));
}

/// Makes `folder` with the packages' files, complete and approved by `check` or not at all. Another process
/// may want the same.
Status write_tools(std::vector<Part> parts, const fs::path& folder,
                   const std::function<Status(const fs::path&)>& check, Reporter& reporter) {
  const fs::path tools = folder.parent_path();
  CHECK_OK(make_directories(tools));
  TRY(const FileDescriptor lock, lock_folder(tools));
  if (is_complete(folder)) return ok();  // somebody else was faster
  remove_leftovers(tools);
  const std::size_t count = parts.size();
  const auto activity = reporter.start("Writing tools", count, Reporter::Unit::count);
  TRY(const ScratchFolder scratch, ScratchFolder::create(tools));
  const fs::path made = scratch.path() / "root";
  CHECK_OK(make_directories(made));
  TRY(const rootfs::FileTree tree, merge_packages(std::move(parts), *activity));
  CHECK_OK(write_folder(tree, made));
  CHECK_OK(check(made));
  CHECK_OK(mark_complete(made));
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error)))
    CHECK_OK(rename_folder(folder, scratch.path() / "damaged"));
  CHECK_OK(rename_folder(made, folder));
  activity->set_result(fmt::format("{} packages", count));
  return ok();
}

/// Where a program file really is, symlinks below `root` followed as if `root` were "/".
std::optional<fs::path> find_program(const fs::path& root, const std::string& program) {
  if (program.empty() || program.find('/') != std::string::npos) return {};
  for (const char* folder : {"usr/bin", "usr/sbin"}) {
    fs::path inside = fs::path("/") / folder / program;
    std::error_code error;
    for (int links = 0; links < 16; ++links) {
      fs::path on_disk = root / inside.relative_path();
      const auto status = fs::symlink_status(on_disk, error);
      if (fs::is_regular_file(status)) return on_disk;
      if (!fs::is_symlink(status)) break;
      const fs::path target = fs::read_symlink(on_disk, error);
      if (error) break;
      inside = (inside.parent_path() / target).lexically_normal();  // never above "/"
    }
  }
  return {};
}

Result<std::string> read_start(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string data(4096, '\0');
  const ssize_t got = file ? ::pread(file.get(), data.data(), data.size(), 0) : -1;
  if (got < 0)
    return fail(ErrorKind::io, fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  data.resize(static_cast<std::size_t>(got));
  return data;
}

/// What the dynamic loader of `root` says of the libraries of `program`: "libc.so.6 => /…/libc.so.6 (0x7f…)".
/// It has folders of its own which no option takes from it, and obeys /etc/ld.so.preload: a library that the
/// packages lack would come from the build host, silently.
Status check_library(const fs::path& root, std::string_view program, std::string_view line) {
  constexpr std::string_view kArrow = " => ";
  const auto start = line.find_first_not_of('\t');
  if (start == std::string_view::npos) return ok();
  line = line.substr(start, line.rfind(" (0x") - start);
  const auto arrow = line.find(kArrow);
  const std::string_view name = line.substr(0, arrow);
  const std::string_view path = arrow == std::string_view::npos ? name : line.substr(arrow + kArrow.size());
  if (name.starts_with("linux-vdso.so") || path.starts_with(root.string() + "/")) return ok();
  if (arrow == std::string_view::npos)
    return fail(ErrorKind::tool,
                fmt::format("this machine puts {} into every program, also into {}", path, program),
                "take it out of /etc/ld.so.preload while images are built");
  return fail(ErrorKind::tool,
              fmt::format("the tool {} needs {}, which no locked tool package has", program, name),
              "add the package that has it to 'tools' in the profile and lock again");
}

Status check_libraries(const Toolbox& toolbox) {
  for (const char* program : kPrograms) {
    CHECK_OK(check_interrupt());
    if (!find_program(toolbox.root(), program)) continue;  // told when it is to be started
    TRY(Command command, toolbox.command(program, {}));
    if (command.argv.size() == 1) continue;  // static
    command.argv.insert(command.argv.end() - 1, "--list");
    TRY(const CommandOutput output, run_any_status(command));
    std::string_view text = output.out;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      CHECK_OK(check_library(toolbox.root(), program, text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (output.exit_status != 0)
      return fail(ErrorKind::tool, fmt::format("the tool {} cannot be loaded: {}", program, output.err));
  }
  return ok();
}

}  // namespace

Toolbox::Toolbox(fs::path root, std::int64_t source_date_epoch)
    : root_(std::move(root)), source_date_epoch_(source_date_epoch) {}

std::optional<Toolbox> Toolbox::find(const fs::path& cache, const std::vector<Package>& packages,
                                     std::int64_t source_date_epoch) {
  const fs::path folder = folder_of(cache, packages);
  if (!is_complete(folder)) return {};
  touch(folder / kMarkName);
  return Toolbox(folder, source_date_epoch);
}

Result<Toolbox> Toolbox::make(const fs::path& cache, const std::vector<Package>& packages,
                              const std::vector<const rootfs::UnpackedDeb*>& debs,
                              std::int64_t source_date_epoch, Reporter& reporter) {
  const fs::path folder = folder_of(cache, packages);
  std::vector<Part> parts;
  parts.reserve(packages.size());
  for (std::size_t i = 0; i < packages.size(); ++i) parts.push_back({packages[i].name, debs[i]});
  const auto check = [&](const fs::path& made) { return check_libraries(Toolbox(made, source_date_epoch)); };
  if (auto written = write_tools(std::move(parts), folder, check, reporter); !written)
    return fail(explain_full_disk(std::move(written.error()), folder));
  return Toolbox(folder, source_date_epoch);
}

Result<Command> Toolbox::command(const std::string& program,
                                 const std::vector<std::string>& arguments) const {
  const auto path = find_program(root_, program);
  if (!path)
    return fail(ErrorKind::tool, fmt::format("no locked tool package has the program '{}'", program),
                "add the package that has it to 'tools' in the profile and lock again");
  TRY(const std::string start, read_start(*path));
  auto elf = read_elf_program(start);
  if (!elf) return fail(std::move(elf.error()).with_note("while looking at the tool " + path->string()));

  Command command;
  if (!elf->loader.empty()) {
    // Without its cache, as /etc/ld.so.cache would lead to libraries of the build host.
    const std::string libraries = (root_ / "usr/lib" / elf->triplet).string();
    command.argv = {(root_ / elf->loader).string(),           "--inhibit-cache", "--library-path",
                    libraries + ":" + libraries + "/systemd", "--argv0",         program};
  }
  command.argv.push_back(path->string());
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.env = {{"SOURCE_DATE_EPOCH", fmt::format("{}", source_date_epoch_)},
                 {"TZ", "UTC"},
                 {"LC_ALL", "C"},
                 {"LANG", "C"},
                 // Modules and configuration that a library would otherwise take from the build host.
                 {"GCONV_PATH", (root_ / "usr/lib" / elf->triplet / "gconv").string()},
                 {"OPENSSL_CONF", "/dev/null"},
                 {"OPENSSL_MODULES", (root_ / "usr/lib" / elf->triplet / "ossl-modules").string()},
                 // ~/.mtoolsrc, which mtools looks for in the password database if HOME is not set.
                 {"HOME", "/nonexistent"},
                 {"MTOOLSRC", "/dev/null"},
                 // What /etc/mtools.conf may say of how names and tables are written; these go before it.
                 {"MTOOLS_FAT_COMPATIBILITY", "0"},
                 {"MTOOLS_LOWER_CASE", "0"},
                 {"MTOOLS_NAME_NUMERIC_TAIL", "1"},
                 {"MTOOLS_NO_VFAT", "0"},
                 {"MTOOLS_SKIP_CHECK", "0"}};
  return command;
}

}  // namespace mailstead::tools
