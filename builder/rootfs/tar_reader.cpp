// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/limits.hpp"
#include "rootfs/archive.hpp"
#include "rootfs/archive_writer.hpp"

namespace mailstead::rootfs {

namespace {

/// Reads in small blocks and skips contents by position, so that reading a tree touches the headers only.
struct TarFile {
  std::shared_ptr<const FileDescriptor> file;
  std::uint64_t size = 0;
  std::uint64_t position = 0;
  std::array<char, 8192> block{};

  static la_ssize_t read(archive* handle, void* self, const void** buffer) {
    auto* tar = static_cast<TarFile*>(self);
    ssize_t got = 0;
    do {
      got =
          ::pread(tar->file->get(), tar->block.data(), tar->block.size(), static_cast<off_t>(tar->position));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      ::archive_set_error(handle, errno, "cannot read");
      return -1;
    }
    tar->position += static_cast<std::uint64_t>(got);
    *buffer = tar->block.data();
    return got;
  }

  static la_int64_t skip(archive* /*handle*/, void* self, la_int64_t request) {
    auto* tar = static_cast<TarFile*>(self);
    const auto left = static_cast<la_int64_t>(tar->size - std::min(tar->size, tar->position));
    const auto skipped = std::min(request, left);
    tar->position += static_cast<std::uint64_t>(skipped);
    return skipped;
  }
};

/// libarchive takes a file that stops between two entries for a whole archive.
Status check_end(const TarFile& tar, const std::string& note) {
  std::array<char, 1024> end{};
  if (tar.size >= end.size() && tar.size % 512 == 0 &&
      ::pread(tar.file->get(), end.data(), end.size(), static_cast<off_t>(tar.size - end.size())) ==
          static_cast<ssize_t>(end.size()) &&
      std::all_of(end.begin(), end.end(), [](char c) { return c == 0; })) {
    return ok();
  }
  return fail(Error{ErrorKind::integrity, "the archive is truncated", {}, {}, {note}, {}});
}

/// Names are bytes. Other writers say of theirs that they are UTF-8; libarchive gives them as they are when
/// the locale has no such letters, and warns.
bool is_about_letters(int status, archive* handle) {
  return status == ARCHIVE_WARN &&
         archive_message(handle).find("can't be converted from") != std::string::npos;
}

/// Puts entries into a tree as long as it is within its limits.
class BoundedTree {
 public:
  explicit BoundedTree(const TarLimits& limits) : limits_(limits) {}

  Status put(const std::string& path, Inode inode) {
    std::size_t bytes = inode.target.size() + inode.origin.size();
    for (const auto& [name, value] : inode.xattrs) bytes += name.size() + value.size();
    TRY(const std::string place, tree_.canonical(path));
    const Inode* there = tree_.find(place);
    const bool elsewhere =
        inode.type == FileType::directory && there != nullptr && there->type == FileType::symlink;
    CHECK_OK(tree_.put(place, std::move(inode)));
    return count(elsewhere ? kMaxPath : place.size(), bytes);
  }

  Status link(const std::string& path, const std::string& existing) {
    TRY(const std::string place, tree_.canonical(path));
    CHECK_OK(tree_.link(place, existing));
    return count(place.size(), 0);
  }

  FileTree take() { return std::move(tree_); }

 private:
  /// Of an entry with a path of `size` bytes. The paths of folders that it brought with it are not known
  /// here: each counts as the longest.
  Status count(std::size_t size, std::size_t bytes) {
    const std::size_t more = tree_.size() - paths_;
    paths_ = tree_.size();
    names_ += bytes + (more > 0 ? size + (more - 1) * kMaxPath : 0);
    if (paths_ > limits_.paths)
      return fail(ErrorKind::integrity, fmt::format("the archive has more than {} paths", limits_.paths));
    if (names_ > limits_.names)
      return fail(ErrorKind::integrity,
                  fmt::format("the names in the archive have more than {} bytes", limits_.names));
    return ok();
  }

  const TarLimits limits_;
  FileTree tree_;
  std::size_t paths_ = 0;
  std::size_t names_ = 0;
};

Status read_tar_entry(archive* handle, archive_entry* entry, const TarFile& tar, BoundedTree& tree) {
  TRY(const std::string path, clean_path(::archive_entry_pathname(entry)));
  if (path.empty()) return ok();
  if (const char* existing = ::archive_entry_hardlink(entry)) {
    TRY(const std::string target, clean_path(existing));
    return tree.link(path, target);
  }
  auto attributes = read_attributes(entry);
  if (!attributes)
    return fail(std::move(attributes.error()).with_note(fmt::format("reading its file '{}'", path)));
  Inode inode = *std::move(attributes);
  if (const auto origin = inode.xattrs.find(kOriginAttribute); origin != inode.xattrs.end()) {
    inode.origin = origin->second;
    inode.xattrs.erase(origin);
  }
  if (inode.type == FileType::regular) {
    // Behind the header, libarchive has consumed exactly what comes before the content.
    const auto offset = static_cast<std::uint64_t>(::archive_filter_bytes(handle, 0));
    const auto size = static_cast<std::uint64_t>(::archive_entry_size(entry));
    if (offset > tar.size || size > tar.size - offset)
      return fail(ErrorKind::integrity, "the archive is truncated");
    inode.content = size == 0 ? Content() : Content(tar.file, offset, size);
  }
  return tree.put(path, std::move(inode));
}

}  // namespace

Result<FileTree> read_tar(const std::filesystem::path& path, const TarLimits& limits) {
  const std::string note = fmt::format("reading {}", path.string());
  auto tar = std::make_unique<TarFile>();
  tar->file = std::make_shared<const FileDescriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!*tar->file || ::fstat(tar->file->get(), &info) != 0) {
    return fail(ErrorKind::io, fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  }
  tar->size = static_cast<std::uint64_t>(info.st_size);
  CHECK_OK(check_end(*tar, note));
  const ArchiveHandle handle(::archive_read_new());
  if (!handle) return fail(no_memory());
  BoundedTree tree(limits);
  const auto refuse = [&](Error error) { return fail(std::move(error).with_note(note)); };
  const auto archive_failure = [&] {
    return refuse(Error{ErrorKind::integrity, archive_message(handle.get()), {}, {}, {}, {}});
  };
  if (::archive_read_support_format_tar(handle.get()) != ARCHIVE_OK ||
      ::archive_read_open2(handle.get(), tar.get(), nullptr, &TarFile::read, &TarFile::skip, nullptr) !=
          ARCHIVE_OK) {
    return archive_failure();
  }
  while (true) {
    archive_entry* entry = nullptr;
    const int status = ::archive_read_next_header(handle.get(), &entry);
    if (status == ARCHIVE_EOF) return tree.take();
    if (status != ARCHIVE_OK && !is_about_letters(status, handle.get())) return archive_failure();
    if (auto result = read_tar_entry(handle.get(), entry, *tar, tree); !result) return refuse(result.error());
  }
}

}  // namespace mailstead::rootfs
