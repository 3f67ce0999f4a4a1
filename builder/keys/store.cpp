// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "base/files.hpp"
#include "base/ownership.hpp"
#include "base/run.hpp"
#include "keys/openssl.hpp"

namespace mailstead::keys {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> io_error(std::string_view what, const fs::path& path, int reason = errno) {
  return fail(ErrorKind::io, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(reason)));
}

tl::unexpected<Error> open_to_all(const fs::path& folder) {
  return fail(ErrorKind::usage, fmt::format("a key in {} would be readable by all users", folder.string()),
              no_permissions_hint());
}

/// Makes the folder and its missing parents, each 0700. The mode is set again after mkdir because of the
/// umask.
Status make_private_folder(const fs::path& folder) {
  if (folder.empty()) return ok();
  struct stat status{};
  if (::stat(folder.c_str(), &status) == 0) {
    if (!S_ISDIR(status.st_mode)) return io_error("use as a folder", folder, ENOTDIR);
    return ok();
  }
  if (errno != ENOENT) return io_error("examine", folder);
  CHECK_OK(make_private_folder(folder.parent_path()));
  if (::mkdir(folder.c_str(), 0700) != 0) return errno == EEXIST ? ok() : Status(io_error("make", folder));
  if (::chmod(folder.c_str(), 0700) == 0) return ok();
  const int reason = errno;
  if (!keeps_permissions(folder)) return open_to_all(folder);
  return io_error("set the mode of", folder, reason);
}

/// A name that is tried with O_EXCL, hidden, and the same folder as the final one so that it can be linked.
Result<std::string> temporary_name(const std::string& name) {
  std::array<std::uint8_t, 8> random{};
  if (RAND_bytes(random.data(), random.size()) != 1) return fail(openssl_error("cannot get random bytes"));
  std::string suffix;
  for (const auto byte : random) suffix += fmt::format("{:02x}", byte);
  return fmt::format(".{}.{}", name, suffix);
}

/// Gives the file its final name unless the name is taken. link(2) never replaces; file systems without hard
/// links (FAT on a USB stick) have RENAME_NOREPLACE instead.
Result<bool> publish(int folder, const std::string& temporary, const std::string& name,
                     const fs::path& path) {
  if (::linkat(folder, temporary.c_str(), folder, name.c_str(), 0) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EPERM && errno != EOPNOTSUPP) return io_error("create", path);
  if (::renameat2(folder, temporary.c_str(), folder, name.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  return io_error("create", path);
}

}  // namespace

bool name_taken(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

Result<bool> create_private_file(const fs::path& path, std::string_view data) {
  CHECK_OK(make_private_folder(path.parent_path()));
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const FileDescriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return io_error("open", parent);
  struct stat status{};
  if (::fstat(folder.get(), &status) != 0) return io_error("examine", parent);
  if (!keeps_permissions(parent)) return open_to_all(parent);
  if ((status.st_mode & 022) != 0)
    return fail(
        ErrorKind::usage,
        fmt::format("other users can write to the folder {} (mode {:04o}), so a key in it is not safe",
                    parent.string(), status.st_mode & 07777),
        fmt::format("close it with `{}`", shell_quote({"chmod", "700", parent.string()})));

  const std::string name = path.filename().string();
  TRY(const std::string temporary, temporary_name(name));
  FileDescriptor file(
      ::openat(folder.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return io_error("create", path);
  Result<bool> made = false;
  // A umask of 0777 would have left nothing. FAT may refuse this mode and yet keep others out, by its mount's
  // umask.
  if (::fchmod(file.get(), 0600) != 0 && errno != EPERM)
    made = io_error("set the mode of", path);
  else if (!write_all(file.get(), data) || ::fsync(file.get()) != 0)
    made = io_error("write", path);
  else
    made = publish(folder.get(), temporary, name, path);
  ::unlinkat(folder.get(), temporary.c_str(), 0);  // gone already after a rename
  if (made && *made && ::fsync(folder.get()) != 0) return io_error("write", parent);
  return made;
}

}  // namespace mailstead::keys
