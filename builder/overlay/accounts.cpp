// SPDX-License-Identifier: GPL-3.0-or-later
#include "overlay/accounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "overlay/read.hpp"
#include "text/ascii.hpp"

namespace mailstead::overlay {
namespace {

constexpr std::int64_t kMaxId = 65534;  // nobody; systemd gives higher ids to dynamic users and containers

std::optional<std::string> account_name(const yaml::Value& key, yaml::Problems& problems) {
  auto name = key.as_string(problems);
  if (name && !text::is_system_name(*name)) {
    problems.add(key.error(fmt::format("'{}' is not a name for a user or group", *name)));
    return {};
  }
  return name;
}

/// Fields of passwd(5) are separated by colons and lines by newlines.
std::string read_field(yaml::MapReader& map, std::string_view key, std::string otherwise,
                       const yaml::Value& place, yaml::Problems& problems) {
  std::string field = read::text_or(map, key, std::move(otherwise), problems);
  if (field.find_first_of(":\n\r") != std::string::npos)
    problems.add(place.error(fmt::format("'{}' must not contain a colon or a line break", key)));
  return field;
}

tl::unexpected<Error> wrong_at(const Place& place, std::string message) {
  return fail(Error{ErrorKind::usage, std::move(message), place, {}, {}, {}});
}

/// Names and numbers that are taken.
class Taken {
 public:
  explicit Taken(std::string_view what) : what_(what) {}
  Status add(const std::string& name, std::uint32_t id, const Place& place) {
    if (!names_.insert(name).second) return wrong_at(place, fmt::format("'{}' is declared twice", name));
    const auto [it, fresh] = ids_.emplace(id, name);
    if (fresh) return ok();
    return wrong_at(place, fmt::format("'{}' has {} {}, which belongs to '{}'", name, what_, id, it->second));
  }
  bool has(const std::string& name) const { return names_.contains(name); }

 private:
  std::string_view what_;
  std::set<std::string> names_;
  std::map<std::uint32_t, std::string> ids_;
};

}  // namespace

std::vector<Group> read_groups(const yaml::Value& value, yaml::Problems& problems) {
  std::vector<Group> groups;
  for (const auto& entry : yaml::MapReader(value, problems).take_all()) {
    const auto name = account_name(entry.key, problems);
    yaml::MapReader map(entry.value, problems);
    Group group;
    group.gid = static_cast<std::uint32_t>(read::integer(map, "gid", 0, kMaxId, problems));
    if (const auto members = map.take("members")) group.members = members->as_strings(problems);
    map.finish();
    if (!name) continue;
    group.name = *name;
    group.place = entry.key.place();
    std::sort(group.members.begin(), group.members.end());
    groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<User> read_users(const yaml::Value& value, yaml::Problems& problems) {
  std::vector<User> users;
  for (const auto& entry : yaml::MapReader(value, problems).take_all()) {
    const auto name = account_name(entry.key, problems);
    yaml::MapReader map(entry.value, problems);
    User user;
    user.uid = static_cast<std::uint32_t>(read::integer(map, "uid", 0, kMaxId, problems));
    user.group = read::text_or(map, "group", name.value_or(""), problems);
    user.description = read_field(map, "description", "", entry.key, problems);
    user.home = read_field(map, "home", "/nonexistent", entry.key, problems);
    user.shell = read_field(map, "shell", "/usr/sbin/nologin", entry.key, problems);
    map.finish();
    if (!name) continue;
    user.name = *name;
    user.place = entry.key.place();
    users.push_back(std::move(user));
  }
  return users;
}

Result<Accounts> merge_accounts(const std::vector<Overlay>& overlays) {
  Accounts accounts;
  Taken groups("gid");
  Taken users("uid");
  for (const Overlay& overlay : overlays) {
    for (const Group& group : overlay.groups) CHECK_OK(groups.add(group.name, group.gid, group.place));
    for (const User& user : overlay.users) CHECK_OK(users.add(user.name, user.uid, user.place));
    accounts.groups.insert(accounts.groups.end(), overlay.groups.begin(), overlay.groups.end());
    accounts.users.insert(accounts.users.end(), overlay.users.begin(), overlay.users.end());
  }
  for (const User& user : accounts.users) {
    if (!groups.has(user.group))
      return wrong_at(user.place, fmt::format("user '{}' has the group '{}', which is not declared",
                                              user.name, user.group));
  }
  for (const Group& group : accounts.groups) {
    for (const std::string& member : group.members) {
      if (!users.has(member))
        return wrong_at(group.place, fmt::format("member '{}' is not a declared user", member));
    }
  }
  std::sort(accounts.users.begin(), accounts.users.end(),
            [](const User& a, const User& b) { return a.uid < b.uid; });
  std::sort(accounts.groups.begin(), accounts.groups.end(),
            [](const Group& a, const Group& b) { return a.gid < b.gid; });
  return accounts;
}

std::string describe(const Accounts& accounts) {
  std::string text;
  for (const User& user : accounts.users)
    text += fmt::format("user {}:{}:{}:{}:{}:{}\n", user.name, user.uid, user.group, user.description,
                        user.home, user.shell);
  for (const Group& group : accounts.groups) {
    text += fmt::format("group {}:{}\n", group.name, group.gid);
    for (const std::string& member : group.members) text += fmt::format(" {}\n", member);
  }
  return text;
}

}  // namespace mailstead::overlay
