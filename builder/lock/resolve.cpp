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
  for (const auto* list : {&request.system, &request.initrd, &request.tools, &request.boot}) {
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

/// The packages of these names and nothing that they depend on: files are taken out of them, nothing runs.
Status solve_boot(Apt& apt, const std::vector<std::string>& names, Wanted& wanted) {
  Wanted all;
  CHECK_OK(solve_into(apt, names, false, &Roles::boot, all));
  for (auto& [identity, package] : all) {
    if (std::find(names.begin(), names.end(), package.name) == names.end()) continue;
    wanted.try_emplace(identity, package).first->second.roles.boot = true;
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
      at->second.roles.boot |= package.roles.boot;
    }
  }
  std::vector<Package> packages;
  for (auto& [key, package] : merged) packages.push_back(std::move(package));
  return packages;
}

/// What mirrors have answered: a lock, or why not.
struct Answer {
  Lock lock;
  std::vector<MirrorFailure> failures;  ///< none: the lock is good
};

Result<Answer> resolve_at(const Request& request, const Address& debian, const Address& security,
                          const std::filesystem::path& cache, const ResolveOptions& options) {
  Answer answer;
  Lock& lock = answer.lock;
  std::vector<Wanted> views;
  const auto ask = [&](const std::string& architecture, bool system, bool tools) -> Status {
    TRY(auto apt, Apt::open(cache / "apt", {request.suite, architecture, debian, security, options.keyring,
                                            options.transport}));
    TRY(answer.failures, apt.update());
    if (!answer.failures.empty()) return ok();
    TRY(auto time, apt.archive_time());
    lock.archive_time = std::max(lock.archive_time, time);
    Wanted wanted;
    if (system) {
      CHECK_OK(solve_into(apt, request.system, true, &Roles::system, wanted));
      CHECK_OK(solve_into(apt, request.initrd, false, &Roles::initrd, wanted));
      CHECK_OK(solve_boot(apt, request.boot, wanted));
    }
    if (tools) CHECK_OK(solve_into(apt, request.tools, false, &Roles::tool, wanted));
    CHECK_OK(apt.look_up(wanted));
    views.push_back(std::move(wanted));
    return ok();
  };
  const bool same = request.architecture == request.host_architecture;
  CHECK_OK(ask(request.architecture, true, same));
  if (!same && answer.failures.empty()) CHECK_OK(ask(request.host_architecture, false, true));
  if (!answer.failures.empty()) return answer;

  lock.suite = request.suite;
  lock.architecture = request.architecture;
  lock.host_architecture = request.host_architecture;
  lock.requested_system = sorted_names(request.system);
  lock.requested_initrd = sorted_names(request.initrd);
  lock.requested_tools = sorted_names(request.tools);
  lock.requested_boot = sorted_names(request.boot);
  lock.users = sorted_ids(request.users);
  lock.groups = sorted_ids(request.groups);
  lock.request_digest = request_digest(request);
  TRY(lock.packages, merge(views));
  // The archive's own fields are held to the same rules as a lock from outside.
  TRY(lock, parse_lock(format_lock(lock), "the archive's answer"));
  return answer;
}

}  // namespace

Result<Lock> resolve(const Request& request, const Mirrors& mirrors, const std::filesystem::path& cache,
                     Reporter& reporter, const ResolveOptions& options) {
  CHECK_OK(check_request(request));
  if (mirrors.debian.empty() || mirrors.security.empty())
    return fail(ErrorKind::internal, "no mirror was given");
  const auto activity = reporter.start("Resolving packages");
  std::size_t debian = 0;
  std::size_t security = 0;
  std::vector<MirrorFailure> failures;
  while (true) {
    TRY(Answer answer,
        resolve_at(request, mirrors.debian[debian], mirrors.security[security], cache, options));
    if (answer.failures.empty()) {
      std::uint64_t bytes = 0;
      for (const auto& package : answer.lock.packages) bytes += package.size;
      activity->set_result(fmt::format("{} packages, {}", answer.lock.packages.size(), human_size(bytes)));
      return std::move(answer.lock);
    }
    bool left = true;
    for (const MirrorFailure& failure : answer.failures) {
      failures.push_back(failure);
      left = left &&
             (failure.security ? ++security < mirrors.security.size() : ++debian < mirrors.debian.size());
    }
    if (!left) return fail(join_failures(failures));
    for (const MirrorFailure& failure : answer.failures)
      reporter.warning(fmt::format("{}; trying the next mirror", failure.error.message));
  }
}

}  // namespace mailstead::lock
