// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/fetch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>

#include "base/interrupt.hpp"
#include "base/threads.hpp"
#include "fetch/download.hpp"
#include "lock/text.hpp"

namespace mailstead::fetch {
namespace {

using Found = Result<std::optional<std::filesystem::path>>;

/// Hashes what the store has of `packages`, on all processors.
std::vector<Found> look_up(const std::vector<lock::Package>& packages, const Store& store,
                           Reporter& reporter) {
  std::vector<Found> found(packages.size(), Found(std::nullopt));
  const auto activity = reporter.start("Checking stored packages", packages.size(), Reporter::Unit::count);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < packages.size() && !interrupted(); i = next++) {
      found[i] = store.get(packages[i]);
      activity->advance();
    }
  };
  in_threads(std::min<std::size_t>(useful_threads(), 8), work);
  if (!interrupted()) activity->set_result(fmt::format("{}", packages.size()));
  return found;
}

bool wanted(const lock::Roles& has, const lock::Roles& asked) {
  return (has.system && asked.system) || (has.initrd && asked.initrd) || (has.tool && asked.tool) ||
         (has.boot && asked.boot);
}

tl::unexpected<Error> missing_offline(const std::vector<lock::Package>& missing) {
  std::vector<std::string> names;
  names.reserve(missing.size());
  for (const auto& package : missing) names.push_back(fmt::format("{} {}", package.name, package.version));
  return fail(ErrorKind::usage,
              fmt::format("{} of the locked packages {} not in the store: {}", names.size(),
                          names.size() == 1 ? "is" : "are", lock::list_some(names)),
              "run once without --offline to fetch them");
}

}  // namespace

Result<std::vector<FetchedPackage>> fetch_packages(const lock::Lock& lock, const lock::Roles& roles,
                                                   Store& store, const lock::Mirrors& mirrors,
                                                   const FetchOptions& options, Reporter& reporter) {
  std::vector<lock::Package> packages;
  for (const auto& package : lock.packages) {
    if (wanted(package.roles, roles)) packages.push_back(package);
  }
  const auto stored = look_up(packages, store, reporter);
  CHECK_OK(check_interrupt());

  std::vector<lock::Package> missing;
  std::map<std::string, std::filesystem::path> paths;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    const auto& package = packages[i];
    if (stored[i] && *stored[i]) {
      paths[package.sha256] = **stored[i];
      continue;
    }
    if (!stored[i]) {
      const Error& error = stored[i].error();
      if (error.kind != ErrorKind::integrity) return fail(error);
      CHECK_OK(store.discard(package));
      reporter.warning(fmt::format("{} {} in the store was damaged; it has been removed from there",
                                   package.name, package.version));
    }
    missing.push_back(package);
  }
  if (!missing.empty() && options.offline) return missing_offline(missing);
  if (!missing.empty()) {
    TRY(auto fetched, download(missing, store, mirrors, {lock.suite, lock.archive_time}, options, reporter));
    paths.merge(fetched);
  }

  std::vector<FetchedPackage> result;
  result.reserve(packages.size());
  for (auto& package : packages) {
    auto path = paths.at(package.sha256);
    result.push_back({std::move(package), std::move(path)});
  }
  return result;
}

}  // namespace mailstead::fetch
