// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace mailstead::rootfs {

namespace {

// One system call a megabyte: most files of a package are smaller than a page.
constexpr std::size_t kWriteSize = 1 << 20;

}  // namespace

Result<Spool> Spool::create(const std::filesystem::path& folder) {
  std::error_code error;
  const auto parent = folder.empty() ? std::filesystem::temp_directory_path(error) : folder;
  int fd = error ? -1 : ::open(parent.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL)) {
    // Some file systems (overlayfs of older kernels, NFS) have no O_TMPFILE.
    std::string name = (parent / "mailstead-spool-XXXXXX").string();
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) ::unlink(name.c_str());
  }
  if (fd < 0) {
    return fail(ErrorKind::io,
                fmt::format("cannot make a temporary file in {}: {}", parent.string(), std::strerror(errno)),
                folder.empty() ? "set TMPDIR to a folder that can be written and has room" : kCacheFull);
  }
  return Spool(FileDescriptor(fd), parent);
}

Status SpoolWriter::begin(std::uint64_t size) {
  const std::uint64_t position = buffer_start_ + buffer_.size();
  if (extent_end_ - position < size) {
    CHECK_OK(flush());
    const std::uint64_t extent = std::max<std::uint64_t>(size, kWriteSize);
    buffer_start_ = spool_.end_.fetch_add(extent);
    extent_end_ = buffer_start_ + extent;
  }
  file_start_ = buffer_start_ + buffer_.size();
  file_size_ = size;
  return ok();
}

Status SpoolWriter::write(const char* data, std::size_t size) {
  if (buffer_start_ + buffer_.size() + size > file_start_ + file_size_) {
    return fail(ErrorKind::integrity, "a file has more bytes than its header says");
  }
  if (buffer_.capacity() < kWriteSize) buffer_.reserve(kWriteSize);
  while (size > 0) {
    const auto part = std::min(size, kWriteSize - buffer_.size());
    buffer_.insert(buffer_.end(), data, data + part);
    data += part;
    size -= part;
    if (buffer_.size() == kWriteSize) CHECK_OK(flush());
  }
  return ok();
}

Content SpoolWriter::content() const {
  return file_size_ == 0 ? Content() : Content(spool_.file_, file_start_, file_size_);
}

Status SpoolWriter::flush() {
  const char* data = buffer_.data();
  std::size_t size = buffer_.size();
  while (size > 0) {
    const ssize_t written = ::pwrite(spool_.file_->get(), data, size, static_cast<off_t>(buffer_start_));
    if (written < 0) {
      if (errno == EINTR) continue;
      return fail(ErrorKind::io,
                  fmt::format("cannot write unpacked files into {}: {}", spool_.folder_.string(),
                              std::strerror(errno)),
                  kCacheFull);
    }
    data += written;
    size -= static_cast<std::size_t>(written);
    buffer_start_ += static_cast<std::uint64_t>(written);
  }
  buffer_.clear();
  return ok();
}

}  // namespace mailstead::rootfs
