// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/ownership.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "base/run.hpp"

namespace mailstead {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOtherPlace = "let MAILSTEAD_CACHE name a folder of your own";

/// In a user namespace, whoever has no id there shows as this one (user_namespaces(7)), also the root of the
/// machine; elsewhere it is a user, "nobody".
bool is_unmapped(uid_t uid) {
  constexpr uid_t kOverflow = 65534;
  if (uid != kOverflow) return false;
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  std::ifstream("/proc/self/uid_map") >> inside >> outside >> count;
  return count < 0xffffffff;
}

/// Whether a group has members besides root and the current user. Debian gives each user a group of his own,
/// and some let it write to all files (umask 002).
bool has_others(gid_t group) {
  static std::mutex mutex;  // the databases are read by functions with one state for all threads
  const std::lock_guard guard(mutex);
  const passwd* own = ::getpwuid(::geteuid());
  const std::string name = own == nullptr ? "" : own->pw_name;
  const struct group* entry = ::getgrgid(group);
  if (entry == nullptr) return true;
  for (char** member = entry->gr_mem; *member != nullptr; ++member)
    if (*member != name && std::string_view(*member) != "root") return true;
  bool others = false;
  ::setpwent();
  while (const passwd* user = ::getpwent())
    others |= user->pw_gid == group && user->pw_uid != 0 && user->pw_uid != ::geteuid();
  ::endpwent();
  return others;
}

/// An access control list of acl(5), as the kernel gives it (linux/posix_acl_xattr.h).
struct Acl {
  enum Tag : std::uint16_t { user = 0x02, own_group = 0x04, group = 0x08, mask = 0x10, other = 0x20 };
  struct Entry {
    std::uint32_t tag;
    std::uint32_t permissions;
    std::uint32_t id;
  };
  std::vector<Entry> entries;  ///< empty: there is none
};

/// `kind` is "access", or "default" for what is made in a folder.
Acl read_acl(const fs::path& path, const char* kind) {
  const std::string name = fmt::format("system.posix_acl_{}", kind);
  char bytes[65536];  // the most that an attribute can have
  const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), bytes, sizeof bytes);
  const auto number = [&](ssize_t at, ssize_t count) {
    std::uint32_t value = 0;
    while (count-- > 0) value = value << 8 | static_cast<unsigned char>(bytes[at + count]);
    return value;
  };
  Acl acl;
  constexpr ssize_t kHeader = 4;
  constexpr ssize_t kEntry = 8;
  for (ssize_t at = kHeader; at + kEntry <= size; at += kEntry)
    acl.entries.push_back({number(at, 2), number(at + 2, 2), number(at + 4, 4)});
  return acl;
}

/// Whether a list lets others than the current user and root write; `own_group` is that of the file.
bool lets_others_write(const Acl& acl, gid_t own_group) {
  constexpr unsigned kWrite = 2;
  unsigned most = 7;
  for (const Acl::Entry& entry : acl.entries)
    if (entry.tag == Acl::mask) most = entry.permissions;
  return std::any_of(acl.entries.begin(), acl.entries.end(), [&](const Acl::Entry& entry) {
    if (entry.tag == Acl::other) return (entry.permissions & kWrite) != 0;
    if ((entry.permissions & most & kWrite) == 0) return false;
    if (entry.tag == Acl::user) return entry.id != 0 && entry.id != ::geteuid();
    return (entry.tag == Acl::own_group && has_others(own_group)) ||
           (entry.tag == Acl::group && has_others(entry.id));
  });
}

/// With a list of access, the mode's bits of the group are the most that any of its entries gives.
bool others_may_write(const struct stat& status, const Acl& access) {
  if ((status.st_mode & 002) != 0) return true;
  if (!access.entries.empty()) return lets_others_write(access, status.st_gid);
  return (status.st_mode & 020) != 0 && has_others(status.st_gid);
}

/// What is made in such a folder gets its list of defaults.
Status require_own_defaults(const fs::path& path, const struct stat& status) {
  if (!S_ISDIR(status.st_mode) || !lets_others_write(read_acl(path, "default"), status.st_gid)) return ok();
  return fail(
      ErrorKind::usage,
      fmt::format("other users could write to what is made in {} (its default ACL), and so change what "
                  "images are made of",
                  path.string()),
      fmt::format("close it with `{}`", shell_quote({"setfacl", "-k", path.string()})));
}

/// Why others can change what is called `path`; nothing is wrong with a sticky folder that only leads
/// somewhere.
Status require_own(const fs::path& path, const struct stat& status, bool on_the_way) {
  const uid_t owner = status.st_uid;
  if (owner != 0 && owner != ::geteuid() && !(on_the_way && is_unmapped(owner))) {
    return fail(ErrorKind::usage,
                fmt::format("{} belongs to another user (id {}), who could change what images are made of",
                            path.string(), owner),
                kOtherPlace);
  }
  if (S_ISLNK(status.st_mode)) return ok();
  if (!on_the_way) CHECK_OK(require_own_defaults(path, status));
  const Acl access = read_acl(path, "access");
  if (!others_may_write(status, access)) return ok();
  if (on_the_way && (status.st_mode & S_ISVTX) != 0) return ok();
  const std::string message =
      fmt::format("other users can write to {} (mode {:04o}{}), and so change what images are made of",
                  path.string(), status.st_mode & 07777, access.entries.empty() ? "" : ", with an ACL");
  if (owner != ::geteuid()) return fail(ErrorKind::usage, message, kOtherPlace);
  if (!keeps_permissions(S_ISDIR(status.st_mode) ? path : path.parent_path()))
    return fail(ErrorKind::usage, message, no_permissions_hint());
  return fail(ErrorKind::usage, message,
              fmt::format("close it with `{}`", shell_quote({"chmod", "go-w", path.string()})));
}

bool look_at(const fs::path& path, struct stat& status) {
  return ::lstat(path.c_str(), &status) == 0;  // what another build has just removed is no danger
}

}  // namespace

Status require_own_path(const fs::path& path) {
  fs::path part;
  struct stat status{};
  for (const fs::path& name : path) {
    part /= name;
    if (look_at(part, status)) CHECK_OK(require_own(part, status, part != path));
  }
  return ok();
}

Status require_own_tree(const fs::path& folder) {
  CHECK_OK(require_own_path(folder));
  std::error_code error;
  struct stat status{};
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!look_at(it->path(), status)) continue;
    CHECK_OK(require_own(it->path(), status, false));
    if (it.depth() > 0 || !S_ISLNK(status.st_mode)) continue;
    std::error_code nowhere;
    const fs::path target = fs::canonical(it->path(), nowhere);
    if (!nowhere && target != folder) CHECK_OK(require_own_tree(target));
  }
  return ok();
}

bool keeps_permissions(const fs::path& folder) {
  std::string name = (folder / ".mailstead.XXXXXX").string();
  const FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return true;
  ::unlink(name.c_str());
  struct stat status{};
  // Some refuse, others say that they did it.
  static_cast<void>(::fchmod(file.get(), 0600));
  return ::fstat(file.get(), &status) != 0 || (status.st_mode & 077) == 0;
}

std::string no_permissions_hint() {
  return "its file system keeps no permissions (FAT, NTFS, a Windows folder in WSL), so chmod changes "
         "nothing: move "
         "the site to a Linux file system, as your home folder";
}

std::string closing_hint(const fs::path& file, const std::string& shown) {
  std::error_code error;
  const fs::path folder = fs::absolute(file, error).parent_path();
  if (!keeps_permissions(folder)) return no_permissions_hint();
  return fmt::format("close it with `{}`", shell_quote({"chmod", "600", shown}));
}

}  // namespace mailstead
