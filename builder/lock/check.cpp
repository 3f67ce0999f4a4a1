// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/program.hpp"
#include "lock/text.hpp"
#include "lock/version.hpp"

namespace mailstead::lock {
namespace {

using Names = std::set<std::string>;

std::string resolve_hint() {
  return fmt::format("`{}` resolves it again and shows what changes",
                     own_command({"lock", "SPEC", "--update"}));
}

std::vector<std::string> without(const Names& names, const Names& others) {
  std::vector<std::string> result;
  std::set_difference(names.begin(), names.end(), others.begin(), others.end(), std::back_inserter(result));
  return result;
}

void compare_names(std::vector<std::string>& changes, std::string_view what, const Names& then,
                   const Names& now) {
  if (const auto added = without(now, then); !added.empty()) {
    changes.push_back(fmt::format("{} asked for now but not when it was made: {}", what, list_some(added)));
  }
  if (const auto removed = without(then, now); !removed.empty()) {
    changes.push_back(fmt::format("{} no longer asked for: {}", what, list_some(removed)));
  }
}

void compare_value(std::vector<std::string>& changes, std::string_view what, const std::string& then,
                   const std::string& now) {
  if (then != now) changes.push_back(fmt::format("{}: {} when it was made, {} now", what, then, now));
}

Names names_of(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

Names names_of(const std::vector<FixedId>& list) {
  Names names;
  for (const auto& id : list) names.insert(fmt::format("{}={}", id.name, id.id));
  return names;
}

std::string roles_of(const Roles& roles) {
  std::vector<std::string> names;
  if (roles.system) names.emplace_back("system");
  if (roles.initrd) names.emplace_back("initrd");
  if (roles.tool) names.emplace_back("tools");
  if (roles.boot) names.emplace_back("boot");
  return list_some(names);
}

/// How one package changed; empty when it did not.
std::string describe_change(const std::string& label, const Package& before, const Package& after) {
  const int order = compare_versions(before.version, after.version);
  if (order != 0) {
    return fmt::format("{} {} {} -> {}", order < 0 ? '^' : 'v', label, before.version, after.version);
  }
  if (before.sha256 != after.sha256) {
    return fmt::format("= {} {} (other bytes under the same version)", label, after.version);
  }
  if (!(before.roles == after.roles)) {
    return fmt::format("= {} {} (for {}; was for {})", label, after.version, roles_of(after.roles),
                       roles_of(before.roles));
  }
  return {};
}

/// The package of a name before and after; null where it was or is not there.
using Pair = std::pair<const Package*, const Package*>;

/// The packages of two locks by the name that people know them by.
std::map<std::string, Pair> pair_packages(const Lock& before, const Lock& after) {
  // "all" and the machine's own architecture are one package to people: some packages move between the two.
  const auto label = [](const Lock& lock, const Package& package) {
    const bool foreign = package.roles.tool && !package.roles.system && !package.roles.initrd &&
                         !package.roles.boot && lock.host_architecture != lock.architecture;
    return foreign ? package.name + ":" + lock.host_architecture : package.name;
  };
  std::map<std::string, Pair> pairs;
  for (const auto& package : before.packages) pairs[label(before, package)].first = &package;
  for (const auto& package : after.packages) pairs[label(after, package)].second = &package;
  return pairs;
}

void diff_values(std::vector<std::string>& lines, std::string_view what, const std::string& before,
                 const std::string& after) {
  if (before != after) lines.push_back(fmt::format("{}: {} -> {}", what, before, after));
}

void diff_names(std::vector<std::string>& lines, std::string_view what, const Names& before,
                const Names& after) {
  for (const auto& name : without(after, before)) lines.push_back(fmt::format("+ {} {}", what, name));
  for (const auto& name : without(before, after)) lines.push_back(fmt::format("- {} {}", what, name));
}

/// A line for each name that has another number now, and for each number that has another name.
std::string changed_ids(std::string_view what, const std::vector<FixedId>& before,
                        const std::vector<FixedId>& after) {
  std::map<std::string, std::uint32_t> numbers;
  std::map<std::uint32_t, std::string> names;
  for (const auto& id : before) {
    numbers.emplace(id.name, id.id);
    names.emplace(id.id, id.name);
  }
  std::string changes;
  for (const auto& id : after) {
    const auto number = numbers.find(id.name);
    if (number != numbers.end() && number->second != id.id)
      changes += fmt::format("\n  {} {}: {} in the lock, {} now", what, id.name, number->second, id.id);
    const auto name = names.find(id.id);
    if (name != names.end() && name->second != id.name)
      changes +=
          fmt::format("\n  {} id {}: of {} in the lock, of {} now", what, id.id, name->second, id.name);
  }
  return changes;
}

/// The packages of a suite that are on every system of it without that anything would depend on them (Debian
/// Policy 3.8): one that has been taken out of a lock cannot say any more that it was. Other suites have
/// others.
Names essential_packages(std::string_view suite) {
  if (suite != "trixie") return {};
  return {"base-files",  "base-passwd",         "bash",     "bsdutils",     "coreutils",   "dash",
          "debianutils", "diffutils",           "dpkg",     "findutils",    "grep",        "gzip",
          "hostname",    "init-system-helpers", "libc-bin", "ncurses-base", "ncurses-bin", "perl-base",
          "sed",         "sysvinit-utils",      "tar",      "util-linux"};
}

/// What was asked for is there: a line that a hand or a merge has taken out would otherwise be missed at the
/// first boot.
Status check_answered(const Lock& lock) {
  const auto missing = [&](const Names& asked, bool Roles::* role) {
    Names there;
    for (const Package& package : lock.packages) {
      if (package.roles.*role) there.insert(package.name);
    }
    return without(asked, there);
  };
  const auto refuse = [](std::string_view what, const std::vector<std::string>& names) {
    return fail(ErrorKind::usage,
                fmt::format("the lock lacks {}: {}; it has been changed by hand", what, list_some(names)),
                resolve_hint());
  };
  std::vector<std::string> all = missing(names_of(lock.requested_system), &Roles::system);
  for (const auto& more : {missing(names_of(lock.requested_initrd), &Roles::initrd),
                           missing(names_of(lock.requested_tools), &Roles::tool),
                           missing(names_of(lock.requested_boot), &Roles::boot)})
    all.insert(all.end(), more.begin(), more.end());
  if (!all.empty()) return refuse("packages that it was asked for", all);
  const auto essential = missing(essential_packages(lock.suite), &Roles::system);
  if (!essential.empty()) return refuse("Essential packages of " + lock.suite, essential);
  return ok();
}

}  // namespace

Status check_lock(const Lock& lock, const Request& request) {
  if (request_digest(request) == lock.request_digest) return check_answered(lock);
  std::vector<std::string> changes;
  compare_value(changes, "suite", lock.suite, request.suite);
  compare_value(changes, "architecture", lock.architecture, request.architecture);
  compare_value(changes, "architecture of the build host", lock.host_architecture, request.host_architecture);
  compare_names(changes, "packages of the system", names_of(lock.requested_system), names_of(request.system));
  compare_names(changes, "packages of the initrd", names_of(lock.requested_initrd), names_of(request.initrd));
  compare_names(changes, "tools", names_of(lock.requested_tools), names_of(request.tools));
  compare_names(changes, "packages that start the machine", names_of(lock.requested_boot),
                names_of(request.boot));
  compare_names(changes, "user ids", names_of(lock.users), names_of(request.users));
  compare_names(changes, "group ids", names_of(lock.groups), names_of(request.groups));
  std::string message = "the lock was made for something else than what the profile asks for now";
  for (const auto& change : changes) message += "\n  " + change;
  return fail(ErrorKind::usage, std::move(message), resolve_hint());
}

Status check_not_older(const Lock& before, const Lock& after) {
  const auto refuse = [](std::string message) {
    return fail(ErrorKind::integrity, std::move(message),
                "try another mirror with --mirror; to go back on purpose, move the lock away first");
  };
  if (before.suite != after.suite) return ok();
  if (after.archive_time < before.archive_time) {
    return refuse(
        fmt::format("the mirror offers an older state of the archive than the lock has: {} instead of {}",
                    time_text(after.archive_time), time_text(before.archive_time)));
  }
  std::string older;
  for (const auto& [label, pair] : pair_packages(before, after)) {
    const auto [then, now] = pair;
    if (then != nullptr && now != nullptr && compare_versions(now->version, then->version) < 0)
      older += fmt::format("\n  {} {} instead of {}", label, now->version, then->version);
  }
  if (older.empty()) return ok();
  return refuse("the mirror offers older packages than the lock has:" + older);
}

Status check_same_ids(const Lock& before, const Lock& after) {
  const std::string changes =
      changed_ids("user", before.users, after.users) + changed_ids("group", before.groups, after.groups);
  if (changes.empty()) return ok();
  return fail(ErrorKind::integrity,
              "numeric ids have changed, but the files of appliances that run keep the old ones:" + changes,
              "give them back their numbers in rootfs-overlays/; to change them on purpose, move the "
              "lock away first");
}

std::vector<std::string> diff_locks(const Lock& before, const Lock& after) {
  std::vector<std::string> lines;
  diff_values(lines, "suite", before.suite, after.suite);
  diff_values(lines, "architecture", before.architecture, after.architecture);
  diff_values(lines, "architecture of the build host", before.host_architecture, after.host_architecture);
  diff_values(lines, "archive time", time_text(before.archive_time), time_text(after.archive_time));
  diff_names(lines, "asked for the system:", names_of(before.requested_system),
             names_of(after.requested_system));
  diff_names(lines, "asked for the initrd:", names_of(before.requested_initrd),
             names_of(after.requested_initrd));
  diff_names(lines, "asked for as tool:", names_of(before.requested_tools), names_of(after.requested_tools));
  diff_names(lines, "asked for to start the machine:", names_of(before.requested_boot),
             names_of(after.requested_boot));
  diff_names(lines, "user", names_of(before.users), names_of(after.users));
  diff_names(lines, "group", names_of(before.groups), names_of(after.groups));
  for (const auto& [label, pair] : pair_packages(before, after)) {
    const auto [old_package, new_package] = pair;
    if (old_package == nullptr) {
      lines.push_back(fmt::format("+ {} {}", label, new_package->version));
    } else if (new_package == nullptr) {
      lines.push_back(fmt::format("- {} {}", label, old_package->version));
    } else if (auto change = describe_change(label, *old_package, *new_package); !change.empty()) {
      lines.push_back(std::move(change));
    }
  }
  return lines;
}

}  // namespace mailstead::lock
