// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "lock/apt.hpp"
#include "lock/grammar.hpp"
#include "lock/lock_file.hpp"

namespace mailstead::lock {
namespace {

Status check_request(const Request& request) {
  for (const auto* name : {&request.suite, &request.architecture, &request.host_architecture}) {
    if (!is_plain_name(*name)) {
      return fail(ErrorKind::usage, fmt::format("'{}' is not the name of a suite or architecture", *name));
    }
  }
  for (const auto* list : {&request.system, &request.initrd, &request.tools}) {
    for (const auto& name : *list) {
      if (!is_package_name(name))
        return fail(ErrorKind::usage, fmt::format("'{}' cannot be a package name", name));
    }
  }
  return ok();
}

/// The packages of one archive view, by what apt calls them, with the roles collected so far.
using Wanted = std::map<Identity, Package>;

Status solve_into(Apt& apt, const std::vector<std::string>& names, bool essential, bool Roles::* role,
                  Wanted& wanted) {
  if (names.empty() && !essential) return ok();
  CHECK_OK(check_interrupt());
  TRY(auto packages, apt.solve(names, essential));
  for (const auto& identity : packages) {
    Package& package = wanted[identity];
    std::tie(package.name, package.version, package.architecture) = identity;
    package.roles.*role = true;
  }
  return ok();
}

std::vector<std::string> sorted_names(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<FixedId> sorted_ids(std::vector<FixedId> ids) {
  std::sort(ids.begin(), ids.end(), [](const FixedId& a, const FixedId& b) { return a.name < b.name; });
  return ids;
}

/// The packages of both views in the order of a lock, roles of the same package joined.
Result<std::vector<Package>> merge(const std::vector<Wanted>& views) {
  std::map<std::pair<std::string, std::string>, Package> merged;
  for (const auto& view : views) {
    for (const auto& [identity, package] : view) {
      const auto [at, is_new] = merged.try_emplace({package.name, package.architecture}, package);
      if (is_new) continue;
      if (at->second.version != package.version || at->second.sha256 != package.sha256) {
        return fail(ErrorKind::integrity,
                    fmt::format("the archive has {} for {} as {} and as {}", package.name,
                                package.architecture, at->second.version, package.version),
                    "the mirror is being refreshed: try again later, or use another one with --mirror");
      }
      at->second.roles.system |= package.roles.system;
      at->second.roles.initrd |= package.roles.initrd;
      at->second.roles.tool |= package.roles.tool;
    }
  }
  std::vector<Package> packages;
  for (auto& [key, package] : merged) packages.push_back(std::move(package));
  return packages;
}

Result<Lock> resolve_at(const Request& request, const std::string& debian, const std::string& security,
                        const std::filesystem::path& cache, const ResolveOptions& options) {
  Lock lock;
  std::vector<Wanted> views;
  const auto ask = [&](const std::string& architecture, bool system, bool tools) -> Status {
    TRY(auto apt, Apt::open(cache / "apt", {request.suite, architecture, debian, security, options.keyring}));
    CHECK_OK(apt.update());
    TRY(auto time, apt.archive_time());
    lock.archive_time = std::max(lock.archive_time, time);
    Wanted wanted;
    if (system) {
      CHECK_OK(solve_into(apt, request.system, true, &Roles::system, wanted));
      CHECK_OK(solve_into(apt, request.initrd, false, &Roles::initrd, wanted));
    }
    if (tools) CHECK_OK(solve_into(apt, request.tools, false, &Roles::tool, wanted));
    CHECK_OK(apt.look_up(wanted));
    views.push_back(std::move(wanted));
    return ok();
  };
  const bool same = request.architecture == request.host_architecture;
  CHECK_OK(ask(request.architecture, true, same));
  if (!same) CHECK_OK(ask(request.host_architecture, false, true));

  lock.suite = request.suite;
  lock.architecture = request.architecture;
  lock.host_architecture = request.host_architecture;
  lock.requested_system = sorted_names(request.system);
  lock.requested_initrd = sorted_names(request.initrd);
  lock.requested_tools = sorted_names(request.tools);
  lock.users = sorted_ids(request.users);
  lock.groups = sorted_ids(request.groups);
  lock.request_digest = request_digest(request);
  TRY(lock.packages, merge(views));
  // The archive's own fields are held to the same rules as a lock from outside.
  return parse_lock(format_lock(lock), "the archive's answer");
}

}  // namespace

Result<Lock> resolve(const Request& request, const Mirrors& mirrors, const std::filesystem::path& cache,
                     Reporter& reporter, const ResolveOptions& options) {
  CHECK_OK(check_request(request));
  if (mirrors.debian.empty() || mirrors.security.empty())
    return fail(ErrorKind::internal, "no mirror was given");
  const auto activity = reporter.start("Resolving packages");
  const std::size_t count = std::max(mirrors.debian.size(), mirrors.security.size());
  for (std::size_t i = 0;; ++i) {
    const auto& debian = mirrors.debian[std::min(i, mirrors.debian.size() - 1)];
    const auto& security = mirrors.security[std::min(i, mirrors.security.size() - 1)];
    auto lock = resolve_at(request, debian, security, cache, options);
    if (lock) {
      std::uint64_t bytes = 0;
      for (const auto& package : lock->packages) bytes += package.size;
      activity->set_result(fmt::format("{} packages, {}", lock->packages.size(), human_size(bytes)));
      return lock;
    }
    if (lock.error().kind != ErrorKind::network || i + 1 == count) return lock;
    reporter.warning(fmt::format("{}; trying the next mirror", lock.error().message));
  }
}

}  // namespace mailstead::lock
