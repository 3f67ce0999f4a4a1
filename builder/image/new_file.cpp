// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

namespace mailstead::image {
namespace {

namespace fs = std::filesystem;

std::string temporary_name(const fs::path& out, std::string_view end) {
  return fmt::format(".{}.{}", out.filename().string(), end);
}

}  // namespace

Result<NewFile> NewFile::create(const fs::path& out) {
  const fs::path folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
  if (FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)); file) {
    std::string path = fmt::format("/proc/{}/fd/{}", ::getpid(), file.get());
    if (::access(path.c_str(), R_OK | W_OK) == 0) return NewFile(std::move(path), false, std::move(file));
  }
  std::string name = (folder / temporary_name(out, "XXXXXX")).string();
  FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file)
    return fail(ErrorKind::io,
                fmt::format("cannot make a file in {}: {}", folder.string(), std::strerror(errno)));
  return NewFile(std::move(name), true, std::move(file));
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)),
      named_(std::exchange(other.named_, false)),
      file_(std::move(other.file_)) {}

NewFile::~NewFile() {
  if (named_) ::unlink(path_.c_str());
}

Status NewFile::keep(const fs::path& out) {
  if (::fsync(file_.get()) != 0 || (!named_ && !give_name(out)) ||
      (named_ && std::rename(path_.c_str(), out.c_str()) != 0)) {
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", out.string(), std::strerror(errno)));
  }
  named_ = false;
  return ok();
}

/// The name `out`, or if that is taken a temporary one for rename(2), as link(2) replaces nothing.
bool NewFile::give_name(const fs::path& out) {
  const std::string nameless = path_;
  const auto link = [&](const fs::path& name) {
    return ::linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (link(out)) return true;
  for (int i = 0; errno == EEXIST && i < 100; ++i) {
    const fs::path name = out.parent_path() / temporary_name(out, fmt::format("{}", i));
    if (!link(name)) continue;
    path_ = name.string();
    named_ = true;
    return true;
  }
  return false;
}

}  // namespace mailstead::image
