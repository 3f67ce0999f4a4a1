// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/archive_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "rootfs/archive.hpp"

namespace mailstead::rootfs {

namespace {

constexpr int kWriteBlock = 1 << 20;

/// A libarchive writer whose blocks go to a sink.
class Writer {
 public:
  explicit Writer(const Sink& sink)
      : sink_(sink), handle_(::archive_write_new()), entry_(::archive_entry_new()) {}

  Status open(int (*set_format)(archive*), const char* options) {
    if (!handle_ || !entry_) return fail(ErrorKind::internal, "out of memory");
    archive* handle = handle_.get();
    if (set_format(handle) != ARCHIVE_OK || ::archive_write_add_filter_none(handle) != ARCHIVE_OK ||
        ::archive_write_set_options(handle, options) != ARCHIVE_OK ||
        ::archive_write_set_bytes_per_block(handle, kWriteBlock) != ARCHIVE_OK ||
        ::archive_write_set_bytes_in_last_block(handle, 1) != ARCHIVE_OK ||  // no padding to a whole block
        ::archive_write_open(handle, this, nullptr, &Writer::write_block, nullptr) != ARCHIVE_OK) {
      return failure();
    }
    return ok();
  }

  /// An entry with all attributes of `inode` but content and size.
  archive_entry* prepare(const std::string& path, const Inode& inode) {
    archive_entry* entry = ::archive_entry_clear(entry_.get());
    ::archive_entry_copy_pathname(entry, path.c_str());
    switch (inode.type) {
      case FileType::directory:
        ::archive_entry_set_filetype(entry, AE_IFDIR);
        break;
      case FileType::regular:
        ::archive_entry_set_filetype(entry, AE_IFREG);
        break;
      case FileType::symlink:
        ::archive_entry_set_filetype(entry, AE_IFLNK);
        ::archive_entry_copy_symlink(entry, inode.target.c_str());
        break;
    }
    // Linux has no modes on symlinks: whatever a package says, they are all 0777.
    ::archive_entry_set_perm(entry, inode.type == FileType::symlink ? 0777 : inode.mode);
    ::archive_entry_set_uid(entry, inode.uid);
    ::archive_entry_set_gid(entry, inode.gid);
    ::archive_entry_set_mtime(entry, inode.mtime, 0);
    return entry;
  }

  /// Writes the prepared entry, with `content` if there is one.
  Status write(const Content* content) {
    ::archive_entry_set_size(entry_.get(), content == nullptr ? 0 : static_cast<la_int64_t>(content->size()));
    if (::archive_write_header(handle_.get(), entry_.get()) != ARCHIVE_OK) return failure();
    if (content == nullptr) return ok();
    return content->stream([this](const char* data, std::size_t size) -> Status {
      while (size > 0) {
        const auto written = ::archive_write_data(handle_.get(), data, size);
        if (written <= 0) return failure();
        data += written;
        size -= static_cast<std::size_t>(written);
      }
      return ok();
    });
  }

  Status close() {
    if (::archive_write_close(handle_.get()) != ARCHIVE_OK) return failure();
    return ok();
  }

 private:
  static la_ssize_t write_block(archive* handle, void* self, const void* data, std::size_t size) {
    auto* writer = static_cast<Writer*>(self);
    // After the sink has failed, libarchive still wants to write the end of the archive.
    if (writer->sink_error_) return -1;
    if (auto status = writer->sink_(static_cast<const char*>(data), size); !status) {
      writer->sink_error_ = std::move(status).error();
      ::archive_set_error(handle, EIO, "the reader of the archive has gone");
      return -1;
    }
    return static_cast<la_ssize_t>(size);
  }

  tl::unexpected<Error> failure() {
    if (sink_error_) return fail(*sink_error_);
    return fail(ErrorKind::io, fmt::format("cannot write archive entry '{}': {}", entry_path(),
                                           archive_message(handle_.get())));
  }

  std::string entry_path() {
    const char* path = ::archive_entry_pathname(entry_.get());
    return path == nullptr ? "" : path;
  }

  const Sink& sink_;
  std::optional<Error> sink_error_;
  ArchiveHandle handle_;
  EntryHandle entry_;
};

/// How often each regular file with several names occurs, and its number. Looked up only: the order by
/// address never shows.
struct Links {
  std::uint32_t count = 0;
  std::uint32_t written = 0;
  std::int64_t number = 0;
};
using LinkMap = std::map<const Inode*, Links>;

LinkMap count_links(const FileTree& tree) {
  LinkMap links;
  for (const auto& [path, inode] : tree) {
    if (inode->type == FileType::regular && inode.use_count() > 1) ++links[inode.get()].count;
  }
  return links;
}

}  // namespace

Status write_tar(const FileTree& tree, const Sink& sink, Origins origins) {
  Writer writer(sink);
  // BINARY: names are bytes, not characters of the locale. SCHILY: the one xattr header that mksquashfs, GNU
  // tar and star all read.
  CHECK_OK(writer.open(&::archive_write_set_format_pax_restricted, "hdrcharset=BINARY,xattrheader=SCHILY"));
  std::map<const Inode*, const std::string*> first_names;
  for (const auto& [path, inode] : tree) {
    archive_entry* entry = writer.prepare(path, *inode);
    if (inode->type == FileType::regular && inode.use_count() > 1) {
      const auto [first, added] = first_names.emplace(inode.get(), &path);
      if (!added) {
        ::archive_entry_copy_hardlink(entry, first->second->c_str());
        CHECK_OK(writer.write(nullptr));
        continue;
      }
    }
    for (const auto& [name, value] : inode->xattrs) {
      ::archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
    }
    if (origins == Origins::keep && !inode->origin.empty()) {
      ::archive_entry_xattr_add_entry(entry, kOriginAttribute, inode->origin.data(), inode->origin.size());
    }
    CHECK_OK(writer.write(inode->type == FileType::regular ? &inode->content : nullptr));
  }
  return writer.close();
}

Status write_cpio(const FileTree& tree, const Sink& sink) {
  Writer writer(sink);
  CHECK_OK(writer.open(&::archive_write_set_format_cpio_newc, ""));
  LinkMap links = count_links(tree);
  std::int64_t next_number = 1;
  for (const auto& [path, inode] : tree) {
    archive_entry* entry = writer.prepare(path, *inode);
    const auto link = links.find(inode.get());
    const bool linked = link != links.end() && link->second.count > 1;
    std::int64_t number = 0;
    if (linked) {
      if (link->second.number == 0) link->second.number = next_number++;
      number = link->second.number;
      ++link->second.written;
    } else {
      number = next_number++;
    }
    ::archive_entry_set_ino64(entry, number);
    ::archive_entry_set_nlink(entry, linked                               ? link->second.count
                                     : inode->type == FileType::directory ? 2
                                                                          : 1);
    const bool has_content =
        inode->type == FileType::regular && (!linked || link->second.written == link->second.count);
    CHECK_OK(writer.write(has_content ? &inode->content : nullptr));
  }
  return writer.close();
}

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

Status read_tar_entry(archive* handle, archive_entry* entry, const TarFile& tar, FileTree& tree) {
  TRY(const std::string path, clean_path(::archive_entry_pathname(entry)));
  if (path.empty()) return ok();
  if (const char* existing = ::archive_entry_hardlink(entry)) {
    TRY(const std::string target, clean_path(existing));
    return tree.link(path, target);
  }
  TRY(Inode inode, read_attributes(entry));
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

Result<FileTree> read_tar(const std::filesystem::path& path) {
  const std::string note = fmt::format("reading {}", path.string());
  auto tar = std::make_unique<TarFile>();
  tar->file = std::make_shared<const FileDescriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!*tar->file || ::fstat(tar->file->get(), &info) != 0) {
    return fail(ErrorKind::io, fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  }
  tar->size = static_cast<std::uint64_t>(info.st_size);
  const ArchiveHandle handle(::archive_read_new());
  if (!handle) return fail(ErrorKind::internal, "out of memory");
  FileTree tree;
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
    if (status == ARCHIVE_EOF) return tree;
    if (status != ARCHIVE_OK) return archive_failure();
    if (auto result = read_tar_entry(handle.get(), entry, *tar, tree); !result) return refuse(result.error());
  }
}

}  // namespace mailstead::rootfs
