// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk/squashfs.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/files.hpp"
#include "disk/reader.hpp"
#include "rootfs/archive_writer.hpp"
#include "tools/scratch.hpp"

namespace mailstead::disk {
namespace {

/// Ten times what an image of ours has.
constexpr std::uint64_t kMostUnpacked = 2ull << 30;

/// Likewise, and of the copy that is made of it, whatever the disk has room for.
constexpr std::uint64_t kMostSquashfs = 2ull << 30;

Result<FileDescriptor> new_file(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file)
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  return file;
}

/// The copies hold an image's private keys: what a killed process has left of them is removed by the next
/// one, or by a build.
Result<tools::ScratchFolder> work_folder() {
  TRY(const std::filesystem::path cache, cache_directory());
  tools::remove_leftovers(cache / "scratch");
  return tools::ScratchFolder::create(cache / "scratch");
}

}  // namespace

Result<SquashfsSuperblock> read_squashfs_superblock(const Disk& disk, Extent partition) {
  TRY(const std::string bytes, disk.read(partition.start, kSquashfsSuperblockSize));
  const auto number = [&](std::size_t offset) { return little_endian(bytes, offset, 8); };
  const SquashfsSuperblock superblock{number(40), number(48), number(64), number(72), number(80), number(88)};
  if (!bytes.starts_with("hsqs") || superblock.used < kSquashfsSuperblockSize ||
      superblock.used > partition.size)
    return fail(ErrorKind::integrity, "there is no squashfs");
  return superblock;
}

Result<rootfs::FileTree> read_squashfs(const Disk& disk, Extent partition,
                                       const std::vector<std::string>& folders) {
  TRY(const SquashfsSuperblock superblock, read_squashfs_superblock(disk, partition));
  if (superblock.used > kMostSquashfs)
    return fail(ErrorKind::integrity, fmt::format("the squashfs is too large: {} bytes", superblock.used));
  // What is open stays readable when the folder is gone.
  TRY(const tools::ScratchFolder folder, work_folder());
  const auto copy = folder.path() / "squashfs.img";
  const auto tar = folder.path() / "tree.tar";
  CHECK_OK(disk.copy({partition.start, superblock.used}, copy));
  TRY(const FileDescriptor output, new_file(tar));
  Command command;
  command.argv = {"sqfs2tar", "--no-skip"};
  if (!folders.empty()) command.argv.emplace_back("--keep-as-dir");
  for (const std::string& name : folders) command.argv.insert(command.argv.end(), {"--subdir", name});
  command.argv.push_back(copy.string());
  command.output_fd = output.get();
  CHECK_OK(run_reader(std::move(command), kMostUnpacked));
  return rootfs::read_tar(tar);
}

}  // namespace mailstead::disk
