// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/deb.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "base/interrupt.hpp"
#include "base/limits.hpp"
#include "rootfs/archive.hpp"

namespace mailstead::rootfs {

namespace {

constexpr std::size_t kReadBlock = 256 * 1024;
constexpr std::uint64_t kMaxControlFile = 16ull << 20;

/// A tar inside the current member of an ar: libarchive reads it through callbacks, so that it is never whole
/// in memory.
class MemberTar {
 public:
  explicit MemberTar(archive* outer) : outer_(outer) {}

  /// `suffix` is what follows "data.tar": "", ".gz", ".xz" or ".zst".
  Status open(std::string_view suffix) {
    handle_.reset(::archive_read_new());
    if (!handle_) return fail(no_memory());
    int status = ::archive_read_support_format_tar(handle_.get());
    int filter = ARCHIVE_FILTER_NONE;
    // Only the filter that the name says: a member that is something else is refused instead of guessed at.
    if (suffix == ".xz") {
      status = std::min(status, ::archive_read_support_filter_xz(handle_.get()));
      filter = ARCHIVE_FILTER_XZ;
    } else if (suffix == ".zst") {
      status = std::min(status, ::archive_read_support_filter_zstd(handle_.get()));
      filter = ARCHIVE_FILTER_ZSTD;
    } else if (suffix == ".gz") {
      status = std::min(status, ::archive_read_support_filter_gzip(handle_.get()));
      filter = ARCHIVE_FILTER_GZIP;
    } else if (!suffix.empty()) {
      return fail(ErrorKind::integrity, fmt::format("unknown compression '{}'", suffix));
    }
    // ARCHIVE_WARN here would mean that libarchive wants to run an external decompressor.
    if (status != ARCHIVE_OK)
      return fail(ErrorKind::internal, "libarchive was built without xz, zstd or gzip");
    if (::archive_read_open(handle_.get(), this, nullptr, &MemberTar::read_block, nullptr) != ARCHIVE_OK) {
      return failure();
    }
    if (::archive_filter_code(handle_.get(), 0) != filter) {
      return fail(ErrorKind::integrity, "it is not compressed as its name says");
    }
    return ok();
  }

  /// The next entry, or null at the end.
  Result<archive_entry*> next() {
    archive_entry* entry = nullptr;
    const int status = ::archive_read_next_header(handle_.get(), &entry);
    if (status == ARCHIVE_EOF) return static_cast<archive_entry*>(nullptr);
    if (status != ARCHIVE_OK) return failure();
    return entry;
  }

  /// Hands the content of the current entry to `sink`: exactly `size` bytes, or an error.
  template <class Sink>
  Status read(std::uint64_t size, Sink&& sink) {
    std::uint64_t done = 0;
    while (true) {
      const void* data = nullptr;
      std::size_t length = 0;
      la_int64_t offset = 0;
      const int status = ::archive_read_data_block(handle_.get(), &data, &length, &offset);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK) return failure();
      if (static_cast<std::uint64_t>(offset) != done) return fail(ErrorKind::integrity, "a file is sparse");
      if (length > size - done)
        return fail(ErrorKind::integrity, "a file has more bytes than its header says");
      CHECK_OK(sink(static_cast<const char*>(data), length));
      done += length;
    }
    if (done != size) return fail(ErrorKind::integrity, "a file has fewer bytes than its header says");
    return ok();
  }

 private:
  static la_ssize_t read_block(archive* handle, void* self, const void** buffer) {
    auto* outer = static_cast<MemberTar*>(self)->outer_;
    std::size_t length = 0;
    la_int64_t offset = 0;
    while (true) {
      const int status = ::archive_read_data_block(outer, buffer, &length, &offset);
      if (status == ARCHIVE_EOF) return 0;
      if (status != ARCHIVE_OK) {
        ::archive_set_error(handle, EILSEQ, "%s", archive_message(outer).c_str());
        return -1;
      }
      if (length > 0) return static_cast<la_ssize_t>(length);  // 0 would mean the end
    }
  }

  tl::unexpected<Error> failure() { return fail(ErrorKind::integrity, archive_message(handle_.get())); }

  archive* outer_;
  ArchiveHandle handle_;
};

Status read_control(MemberTar& tar, const DebLimits& limits, UnpackedDeb& deb) {
  std::uint64_t total = 0;
  std::optional<std::string> stanza;
  while (true) {
    TRY(archive_entry * entry, tar.next());
    if (entry == nullptr) break;
    TRY(const std::string name, clean_path(::archive_entry_pathname(entry)));
    if (name.empty() && ::archive_entry_filetype(entry) == AE_IFDIR) continue;
    if (name.empty() || name.find('/') != std::string::npos || ::archive_entry_filetype(entry) != AE_IFREG ||
        ::archive_entry_hardlink(entry) != nullptr || ::archive_entry_sparse_count(entry) > 0) {
      return fail(ErrorKind::integrity, fmt::format("control.tar: '{}' is not a plain file", name));
    }
    const auto size = static_cast<std::uint64_t>(::archive_entry_size(entry));
    total += std::min(size, kMaxControlFile + 1);
    if (size > kMaxControlFile || total > limits.control_size || deb.control.files.size() > 1000) {
      return fail(ErrorKind::integrity, fmt::format("control.tar: too large at '{}'", name));
    }
    std::string text;
    CHECK_OK(tar.read(size, [&](const char* data, std::size_t length) {
      text.append(data, length);
      return ok();
    }));
    if (name == "control") {
      stanza = std::move(text);
    } else if (!deb.control.files.emplace(name, std::move(text)).second) {
      return fail(ErrorKind::integrity, fmt::format("control.tar: '{}' twice", name));
    }
  }
  if (!stanza) return fail(ErrorKind::integrity, "control.tar: no file 'control'");
  TRY(ControlData parsed, parse_control(*stanza));
  parsed.files = std::move(deb.control.files);
  deb.control = std::move(parsed);
  return ok();
}

/// Reads data.tar entry by entry and keeps what is needed to refuse tricks.
class DataReader {
 public:
  DataReader(MemberTar& tar, Spool& spool, const DebLimits& limits, UnpackedDeb& deb)
      : tar_(tar), writer_(spool), limits_(limits), deb_(deb) {}

  Status read() {
    while (true) {
      TRY(archive_entry * entry, tar_.next());
      if (entry == nullptr) break;
      TRY(std::string path, clean_path(::archive_entry_pathname(entry)));
      if (path.empty()) {
        if (::archive_entry_filetype(entry) != AE_IFDIR) {
          return fail(ErrorKind::integrity, "the root directory is not a directory");
        }
        continue;
      }
      if (auto status = read_entry(entry, std::move(path)); !status) return status;
    }
    return writer_.flush();
  }

 private:
  Status read_entry(archive_entry* entry, std::string path) {
    const std::string note = fmt::format("reading its file '{}'", path);
    const auto refuse = [&](Error error) { return fail(std::move(error).with_note(note)); };
    if (deb_.entries.size() >= limits_.entries)
      return fail(ErrorKind::integrity, "the package has too many files");
    if (auto status = check_parents(path); !status) return refuse(status.error());

    std::shared_ptr<Inode> inode;
    if (const char* existing = ::archive_entry_hardlink(entry)) {
      auto target = clean_path(existing);
      if (!target) return refuse(target.error());
      const auto found = inodes_.find(*target);
      if (found == inodes_.end() || found->second->type != FileType::regular) {
        return refuse(
            Error{ErrorKind::integrity,
                  fmt::format("it is a hard link to '{}', which is not a file in this package", *target),
                  {},
                  {},
                  {},
                  {}});
      }
      inode = found->second;
    } else {
      auto attributes = read_attributes(entry);
      if (!attributes) return refuse(attributes.error());
      inode = std::make_shared<Inode>(std::move(*attributes));
      inode->origin = deb_.control.name;
      if (inode->type == FileType::regular) {
        if (auto status = read_content(entry, *inode); !status) return refuse(status.error());
      }
    }
    const auto [found, added] = inodes_.emplace(path, inode);
    if (!added) {
      const bool both_directories =
          found->second->type == FileType::directory && inode->type == FileType::directory;
      if (!both_directories) {
        return refuse(Error{ErrorKind::integrity, "its path is listed twice in the package", {}, {}, {}, {}});
      }
      found->second = inode;
    }
    deb_.entries.push_back({std::move(path), std::move(inode)});
    return ok();
  }

  Status read_content(archive_entry* entry, Inode& inode) {
    const auto size = ::archive_entry_size(entry);
    if (size < 0 || static_cast<std::uint64_t>(size) > limits_.data_size - total_) {
      return fail(ErrorKind::integrity, "the package has more data than one may have");
    }
    total_ += static_cast<std::uint64_t>(size);
    CHECK_OK(writer_.begin(static_cast<std::uint64_t>(size)));
    const auto keep = [this](const char* data, std::size_t length) -> Status {
      CHECK_OK(check_interrupt());
      return writer_.write(data, length);
    };
    CHECK_OK(tar_.read(static_cast<std::uint64_t>(size), keep));
    inode.content = writer_.content();
    return ok();
  }

  /// An entry below a symlink of the same package is how an archive writes outside of its folder; dpkg-deb
  /// never makes one.
  Status check_parents(std::string_view path) const {
    for (auto slash = path.rfind('/'); slash != std::string_view::npos; slash = path.rfind('/', slash - 1)) {
      const auto found = inodes_.find(path.substr(0, slash));
      if (found == inodes_.end()) continue;
      if (found->second->type == FileType::directory) return ok();  // whose own parents were checked
      return fail(ErrorKind::integrity,
                  fmt::format("it is below '{}', which the same package ships as a {}", path.substr(0, slash),
                              found->second->type == FileType::symlink ? "symlink" : "file"));
    }
    return ok();
  }

  MemberTar& tar_;
  SpoolWriter writer_;
  const DebLimits& limits_;
  UnpackedDeb& deb_;
  std::map<std::string, std::shared_ptr<Inode>, std::less<>> inodes_;
  std::uint64_t total_ = 0;
};

Status check_format_version(archive* outer) {
  char text[64];
  const auto size = ::archive_read_data(outer, text, sizeof text);
  if (size < 0) return fail(ErrorKind::integrity, archive_message(outer));
  const std::string_view version(text, static_cast<std::size_t>(size));
  if (!version.starts_with("2.") || version.find('\n') == std::string_view::npos) {
    return fail(ErrorKind::integrity, "not a package of format 2.x");
  }
  return ok();
}

/// Without a spool, of the control data only.
Result<UnpackedDeb> read_deb(archive* outer, Spool* spool, const DebLimits& limits) {
  UnpackedDeb deb;
  enum class Expected { version, control, data, nothing } expected = Expected::version;
  while (true) {
    archive_entry* entry = nullptr;
    const int status = ::archive_read_next_header(outer, &entry);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) return fail(ErrorKind::integrity, archive_message(outer));
    const char* raw = ::archive_entry_pathname(entry);
    const std::string_view member = raw == nullptr ? "" : raw;
    if (expected == Expected::version) {
      if (member != "debian-binary")
        return fail(ErrorKind::integrity, "it does not start with debian-binary");
      CHECK_OK(check_format_version(outer));
      expected = Expected::control;
    } else if (expected == Expected::control && member.starts_with("control.tar")) {
      MemberTar tar(outer);
      auto result = tar.open(member.substr(std::strlen("control.tar")));
      if (result) result = read_control(tar, limits, deb);
      if (!result) return fail(std::move(result).error().with_note(fmt::format("reading {}", member)));
      if (spool == nullptr) return deb;
      expected = Expected::data;
    } else if (expected == Expected::data && member.starts_with("data.tar")) {
      MemberTar tar(outer);
      auto result = tar.open(member.substr(std::strlen("data.tar")));
      if (result) result = DataReader(tar, *spool, limits, deb).read();
      if (!result) return fail(std::move(result).error().with_note(fmt::format("reading {}", member)));
      expected = Expected::nothing;
    } else if (expected != Expected::nothing && !member.starts_with('_')) {
      // deb(5): members whose names start with '_' may stand between, everything behind data.tar is ignored.
      return fail(ErrorKind::integrity, fmt::format("unexpected member '{}'", clean_path(raw).value_or("?")));
    }
    // Finds a file that ends in the middle of a member.
    if (::archive_read_data_skip(outer) != ARCHIVE_OK)
      return fail(ErrorKind::integrity, archive_message(outer));
  }
  if (expected != Expected::nothing) return fail(ErrorKind::integrity, "control.tar or data.tar is missing");
  return deb;
}

Result<UnpackedDeb> open_deb(const std::filesystem::path& path, Spool* spool, const DebLimits& limits) {
  const std::string note = fmt::format("reading package {}", path.filename().string());
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0) {
    return fail(ErrorKind::io, fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) return fail(ErrorKind::io, fmt::format("{} is not a file", path.string()));
  const ArchiveHandle outer(::archive_read_new());
  if (!outer || ::archive_read_support_format_ar(outer.get()) != ARCHIVE_OK ||
      ::archive_read_open_fd(outer.get(), file.get(), kReadBlock) != ARCHIVE_OK) {
    return fail(
        Error{ErrorKind::integrity, outer ? archive_message(outer.get()) : "out of memory", {}, {}, {}, {}}
            .with_note(note));
  }
  auto deb = read_deb(outer.get(), spool, limits);
  if (!deb) return fail(std::move(deb).error().with_note(note));
  return deb;
}

}  // namespace

Result<UnpackedDeb> unpack_deb(const std::filesystem::path& path, Spool& spool, const DebLimits& limits) {
  return open_deb(path, &spool, limits);
}

Result<ControlData> read_deb_control(const std::filesystem::path& path, const DebLimits& limits) {
  TRY(UnpackedDeb deb, open_deb(path, nullptr, limits));
  return std::move(deb.control);
}

}  // namespace mailstead::rootfs
