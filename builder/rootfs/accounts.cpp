// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/accounts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "text/ascii.hpp"

namespace mailstead::rootfs {

namespace {

constexpr const char* kWhere = "correct the manifest of its overlay";

bool is_valid_field(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c == ':' || c < 0x20 || c == 0x7f; });
}

/// Names and ids are distinct, valid, and none is the "no id" of chown(2).
class Uniqueness {
 public:
  explicit Uniqueness(std::string_view kind) : kind_(kind) {}
  Status add(std::string_view name, std::uint32_t id) {
    if (!text::is_system_name(name))
      return fail(ErrorKind::usage, fmt::format("invalid name of a {}: '{}'", kind_, name), kWhere);
    if (!names_.emplace(name).second)
      return fail(ErrorKind::usage, fmt::format("{} {} twice", kind_, name), kWhere);
    if (id == std::numeric_limits<std::uint32_t>::max() || !ids_.insert(id).second) {
      return fail(ErrorKind::usage, fmt::format("{} {} has id {}, which is taken", kind_, name, id), kWhere);
    }
    return ok();
  }
  bool has(std::string_view name) const { return names_.contains(name); }

 private:
  std::string_view kind_;
  std::set<std::string, std::less<>> names_;
  std::set<std::uint32_t> ids_;
};

Status check(const overlay::Accounts& accounts) {
  Uniqueness users("user");
  Uniqueness groups("group");
  for (const auto& group : accounts.groups) CHECK_OK(groups.add(group.name, group.gid));
  for (const auto& user : accounts.users) {
    CHECK_OK(users.add(user.name, user.uid));
    if (!is_valid_field(user.description) || !is_valid_field(user.home) || !is_valid_field(user.shell)) {
      return fail(ErrorKind::usage,
                  fmt::format("user {} has ':' or a control character in a field", user.name), kWhere);
    }
    if (!user.home.starts_with('/') || !user.shell.starts_with('/')) {
      return fail(ErrorKind::usage,
                  fmt::format("home and shell of user {} have to be absolute paths", user.name), kWhere);
    }
    if (!groups.has(user.group)) {
      return fail(ErrorKind::usage,
                  fmt::format("user {} has primary group '{}', which does not exist", user.name, user.group),
                  kWhere);
    }
  }
  for (const auto& group : accounts.groups) {
    for (const std::string& member : group.members) {
      if (!users.has(member)) {
        return fail(ErrorKind::usage,
                    fmt::format("group {} has member '{}', which does not exist", group.name, member),
                    kWhere);
      }
    }
  }
  return ok();
}

}  // namespace

Status write_accounts(const overlay::Accounts& accounts, std::int64_t clock, FileTree& tree) {
  CHECK_OK(check(accounts));
  std::string passwd;
  std::string shadow;
  for (const auto& user : accounts.users) {
    TRY(const std::uint32_t gid, resolve_group(accounts, user.group));
    passwd += fmt::format("{}:x:{}:{}:{}:{}:{}\n", user.name, user.uid, gid, user.description, user.home,
                          user.shell);
    shadow += fmt::format("{}:!*:::::::\n", user.name);
  }
  std::string group_lines;
  std::string gshadow;
  for (const auto& group : accounts.groups) {
    const auto members = fmt::format("{}", fmt::join(group.members, ","));
    group_lines += fmt::format("{}:x:{}:{}\n", group.name, group.gid, members);
    gshadow += fmt::format("{}:!*::{}\n", group.name, members);
  }
  const auto shadow_group = resolve_group(accounts, "shadow");
  const auto put = [&](std::string_view path, std::string text, bool secret) {
    return tree.put(path, Inode{.type = FileType::regular,
                                .mode = secret ? (shadow_group ? 0640u : 0600u) : 0644u,
                                .uid = 0,
                                .gid = secret ? shadow_group.value_or(0) : 0,
                                .mtime = clock,
                                .content = Content(std::move(text)),
                                .target = {},
                                .xattrs = {},
                                .origin = "mailstead"});
  };
  CHECK_OK(put("etc/passwd", std::move(passwd), false));
  CHECK_OK(put("etc/group", std::move(group_lines), false));
  CHECK_OK(put("etc/shadow", std::move(shadow), true));
  CHECK_OK(put("etc/gshadow", std::move(gshadow), true));
  CHECK_OK(put("etc/subuid", {}, false));
  return put("etc/subgid", {}, false);
}

Result<std::uint32_t> resolve_owner(const overlay::Accounts& accounts, std::string_view name) {
  for (const auto& user : accounts.users) {
    if (user.name == name) return user.uid;
  }
  return fail(ErrorKind::usage, fmt::format("there is no user '{}'", name),
              "declare it in the manifest of an overlay");
}

Result<std::uint32_t> resolve_group(const overlay::Accounts& accounts, std::string_view name) {
  for (const auto& group : accounts.groups) {
    if (group.name == name) return group.gid;
  }
  return fail(ErrorKind::usage, fmt::format("there is no group '{}'", name),
              "declare it in the manifest of an overlay");
}

}  // namespace mailstead::rootfs
