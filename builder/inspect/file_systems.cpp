// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/file_systems.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/files.hpp"
#include "inspect/readers.hpp"
#include "rootfs/archive_writer.hpp"
#include "tools/scratch.hpp"

namespace mailstead::inspect {
namespace {

/// Ten times what an image of ours has.
constexpr std::uint64_t kMostUnpacked = 2ull << 30;

/// Likewise, and of the copy that is made of it, whatever the disk has room for.
constexpr std::uint64_t kMostSquashfs = 2ull << 30;

// The superblock of squashfs 4.0: its magic number, and how many bytes the file system has.
constexpr std::size_t kSuperblockSize = 96;
constexpr std::string_view kSquashfsMagic = "hsqs";
constexpr std::size_t kBytesUsedOffset = 40;

Result<std::uint64_t> squashfs_size(const DiskImage& image, const Partition& partition) {
  TRY(const std::string block, image.read(partition.start, kSuperblockSize));
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 0;) size = size << 8 | static_cast<std::uint8_t>(block[kBytesUsedOffset + i]);
  if (!block.starts_with(kSquashfsMagic) || size < kSuperblockSize || size > partition.size)
    return fail(ErrorKind::integrity, fmt::format("there is no squashfs in partition {}", partition.number));
  if (size > kMostSquashfs)
    return fail(ErrorKind::integrity,
                fmt::format("the squashfs in partition {} is too large: {} bytes", partition.number, size));
  return size;
}

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

Result<rootfs::FileTree> read_squashfs(const DiskImage& image, const Partition& partition,
                                       const std::vector<std::string>& folders) {
  TRY(const std::uint64_t size, squashfs_size(image, partition));
  // What is open stays readable when the folder is gone.
  TRY(const tools::ScratchFolder folder, work_folder());
  const auto copy = folder.path() / "squashfs.img";
  const auto tar = folder.path() / "tree.tar";
  CHECK_OK(image.copy(partition.start, size, copy));
  TRY(const FileDescriptor output, new_file(tar));
  Command command;
  command.argv = {"sqfs2tar", "--no-skip"};
  if (!folders.empty()) command.argv.emplace_back("--keep-as-dir");
  for (const std::string& name : folders) command.argv.insert(command.argv.end(), {"--subdir", name});
  command.argv.push_back(copy.string());
  command.output_fd = output.get();
  const std::string note = fmt::format("reading the file system in partition {}", partition.number);
  if (auto done = run_reader(std::move(command), kMostUnpacked); !done)
    return fail(std::move(done.error()).with_note(note));
  auto tree = rootfs::read_tar(tar);
  if (!tree) return fail(std::move(tree.error()).with_note(note));
  return tree;
}

Result<std::string> read_fat_file(const DiskImage& image, const Partition& partition, const std::string& path,
                                  std::uint64_t limit) {
  TRY(const tools::ScratchFolder folder, work_folder());
  const auto copy = folder.path() / "file";
  TRY(const FileDescriptor output, new_file(copy));
  // Under a name of ours: in the image's own name "@@" would mean something.
  const auto link = folder.path() / "image";
  std::error_code error;
  std::filesystem::create_symlink(std::filesystem::absolute(image.path()), link, error);
  if (error) return fail(ErrorKind::io, fmt::format("cannot write {}: {}", link.string(), error.message()));
  Command command;
  command.argv = {"mcopy",      "-n", "-i", fmt::format("{}@@{}", link.string(), partition.start),
                  "::/" + path, "-"};
  command.output_fd = output.get();
  if (auto done = run_reader(std::move(command), limit); !done)
    return fail(
        std::move(done.error()).with_note(fmt::format("reading {} in partition {}", path, partition.number)));
  return read_file(copy, limit);
}

}  // namespace mailstead::inspect
