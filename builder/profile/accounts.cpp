// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "profile/profile.hpp"
#include "profile/read.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::profile {
namespace {

constexpr std::int64_t kLargestId =
    65534;  // nobody; systemd gives higher ids to dynamic users and containers

/// The strict form of user and group names, systemd's "User/Group Name Syntax".
bool is_account_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= 31 && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

/// Fields of passwd(5) are separated by colons and lines by newlines.
std::string read_field(yaml::MapReader& map, std::string_view key, std::string otherwise,
                       const yaml::Value& place, yaml::Problems& problems) {
  std::string field = read::text_or(map, key, std::move(otherwise), problems);
  if (field.find_first_of(":\n\r") != std::string::npos) {
    problems.add(place.error(fmt::format("'{}' must not hold a colon or a line break", key)));
  }
  return field;
}

class AccountsReader {
 public:
  explicit AccountsReader(yaml::Problems& problems) : problems_(problems) {}

  void group(const yaml::MapReader::Entry& entry) {
    const auto name = account_name(entry.key);
    yaml::MapReader map(entry.value, problems_);
    Group group;
    group.gid = static_cast<std::uint32_t>(read::integer(map, "gid", 0, kLargestId, problems_));
    if (const auto members = map.take("members")) {
      for (const yaml::Value& member : members->as_list(problems_)) {
        if (auto text = member.as_string(problems_)) {
          members_.emplace_back(*text, member);
          group.members.push_back(*std::move(text));
        }
      }
    }
    map.finish();
    if (!name) return;
    group.name = *name;
    unique(gids_, group.gid, group.name, "gid", entry.key);
    std::sort(group.members.begin(), group.members.end());
    accounts_.groups.push_back(std::move(group));
  }

  void user(const yaml::MapReader::Entry& entry) {
    const auto name = account_name(entry.key);
    yaml::MapReader map(entry.value, problems_);
    User user;
    user.uid = static_cast<std::uint32_t>(read::integer(map, "uid", 0, kLargestId, problems_));
    user.group = read::text_or(map, "group", name.value_or(""), problems_);
    user.description = read_field(map, "description", "", entry.key, problems_);
    user.home = read_field(map, "home", "/nonexistent", entry.key, problems_);
    user.shell = read_field(map, "shell", "/usr/sbin/nologin", entry.key, problems_);
    map.finish();
    if (!name) return;
    user.name = *name;
    unique(uids_, user.uid, user.name, "uid", entry.key);
    const bool known = std::any_of(accounts_.groups.begin(), accounts_.groups.end(),
                                   [&](const Group& group) { return group.name == user.group; });
    if (!known) {
      problems_.add(entry.key.error(
          fmt::format("user '{}' has the group '{}', which is not declared", user.name, user.group)));
    }
    accounts_.users.push_back(std::move(user));
  }

  Accounts finish() {
    std::set<std::string> users;
    for (const User& user : accounts_.users) users.insert(user.name);
    for (const auto& [member, value] : members_) {
      if (!users.contains(member)) {
        problems_.add(value.error(fmt::format("member '{}' is not a declared user", member)));
      }
    }
    std::sort(accounts_.users.begin(), accounts_.users.end(),
              [](const User& a, const User& b) { return a.uid < b.uid; });
    std::sort(accounts_.groups.begin(), accounts_.groups.end(),
              [](const Group& a, const Group& b) { return a.gid < b.gid; });
    return std::move(accounts_);
  }

 private:
  std::optional<std::string> account_name(const yaml::Value& key) {
    auto name = key.as_string(problems_);
    if (name && !is_account_name(*name)) {
      problems_.add(key.error(fmt::format("'{}' is not a name for a user or group", *name)));
      return {};
    }
    return name;
  }

  void unique(std::map<std::uint32_t, std::string>& ids, std::uint32_t id, const std::string& name,
              std::string_view what, const yaml::Value& place) {
    const auto [it, fresh] = ids.emplace(id, name);
    if (!fresh)
      problems_.add(
          place.error(fmt::format("'{}' has {} {}, which belongs to '{}'", name, what, id, it->second)));
  }

  yaml::Problems& problems_;
  Accounts accounts_;
  std::map<std::uint32_t, std::string> uids_;
  std::map<std::uint32_t, std::string> gids_;
  std::vector<std::pair<std::string, yaml::Value>> members_;
};

}  // namespace

Result<Accounts> load_accounts(const std::filesystem::path& data) {
  TRY(const auto document, yaml::Document::load(data / "profiles" / "accounts.yaml"));
  yaml::Problems problems;
  yaml::MapReader map(document.root(), problems);
  AccountsReader reader(problems);
  if (const auto groups = map.require("groups")) {
    yaml::MapReader entries(*groups, problems);
    for (const auto& entry : entries.take_all()) reader.group(entry);
  }
  if (const auto users = map.require("users")) {
    yaml::MapReader entries(*users, problems);
    for (const auto& entry : entries.take_all()) reader.user(entry);
  }
  map.finish();
  Accounts accounts = reader.finish();
  CHECK_OK(std::move(problems).finish());
  return accounts;
}

}  // namespace mailstead::profile
