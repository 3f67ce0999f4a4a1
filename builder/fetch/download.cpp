// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/download.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <list>
#include <mutex>

#include "base/files.hpp"
#include "fetch/downloader.hpp"
#include "fetch/shortfall.hpp"
#include "fetch/snapshot.hpp"

namespace mailstead::fetch {
namespace {

using Clock = Transfer::Clock;
using Paths = std::map<std::string, std::filesystem::path>;
/// By the name of the archive, Package::archive.
using ArchiveSources = std::map<std::string, Sources>;

Status initialise_curl() {
  static std::once_flag once;
  static CURLcode code = CURLE_OK;
  std::call_once(once, [] { code = curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (code != CURLE_OK) return fail(ErrorKind::internal, "libcurl cannot be initialised");
  return ok();
}

Sources mirror_sources(const lock::Mirrors& mirrors, const std::string& archive, const std::string& suite) {
  const bool security = archive == "debian-security";
  return {mirrors.of(archive), false,
          fmt::format("dists/{}{}/InRelease", suite, security ? "-security" : "")};
}

/// What came of asking some sources for packages.
struct Yield {
  Paths paths;
  std::vector<Failed> failed;
  std::vector<std::string> troubles;  ///< of the sources, each with its name
};

/// Whether some source has answered for every package; then those that failed are not there.
bool all_answered(const std::vector<Failed>& failed) {
  return std::all_of(failed.begin(), failed.end(),
                     [](const Failed& one) { return one.failure == Transfer::Failure::lacking; });
}

void warn_of(const std::vector<Error>& wrong_bytes, Reporter& reporter) {
  for (const Error& error : wrong_bytes) reporter.warning("skipped: " + error.message);
}

Result<Yield> fetch_from(const ArchiveSources& sources, const std::vector<lock::Package>& packages,
                         const Store& store, const FetchOptions& options, const std::string& activity_name,
                         Reporter& reporter) {
  std::uint64_t total = 0;
  for (const auto& package : packages) {
    if (sources.at(package.archive).addresses.empty())
      return fail(ErrorKind::internal, "no mirror was given");
    total += package.size;
  }
  const auto begin = Clock::now();
  const auto activity = reporter.start(activity_name, total, Reporter::Unit::bytes);
  SourceStates states;
  std::list<Transfer> transfers;
  for (const auto& package : packages)
    transfers.emplace_back(package, sources.at(package.archive), states, store, options, *activity);
  Downloader downloader(options, transfers);
  CHECK_OK(downloader.run());

  Yield yield;
  std::uint64_t fetched = 0;
  for (const Transfer* transfer : downloader.done()) {
    yield.paths[transfer->package().sha256] = transfer->path();
    fetched += transfer->package().size;
    warn_of(transfer->wrong_bytes(), reporter);
  }
  for (const Transfer& transfer : transfers) {
    if (!yield.paths.contains(transfer.package().sha256))
      yield.failed.push_back({transfer.package(), transfer.failure(), transfer.error(),
                              transfer.wrong_bytes(), transfer.unanswered()});
  }
  for (const auto& [address, state] : states) {
    if (!state.trouble.empty()) yield.troubles.push_back(state.trouble);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(fetched) / std::max(seconds, 0.001));
  std::string result = yield.failed.empty()
                           ? fmt::format("{} packages", packages.size())
                           : fmt::format("{} of {} packages", yield.paths.size(), packages.size());
  if (fetched > 0) result += fmt::format(", {}, {}/s", human_size(fetched), human_size(rate));
  if (all_answered(yield.failed)) {
    activity->set_result(result);
  } else {
    activity->set_failed(result);
  }
  return yield;
}

/// Which source did not say whether it has a package that others lack; empty if all have.
std::string unanswered_by(const Failed& one) {
  return one.unanswered ? one.error.message : std::string();
}

/// What the snapshot archive did not have either, with the answers of both.
std::vector<Lost> still_lost(const std::vector<Failed>& by_mirrors, const std::vector<Failed>& by_snapshot) {
  std::vector<Lost> lost;
  for (const Failed& one : by_snapshot) {
    const auto before = std::find_if(by_mirrors.begin(), by_mirrors.end(), [&](const Failed& other) {
      return other.package.sha256 == one.package.sha256;
    });
    const bool answered = one.failure == Transfer::Failure::lacking;
    Lost& added = lost.emplace_back(Lost{one.package, before->wrong_bytes,
                                         answered ? SnapshotAnswer::lacking : SnapshotAnswer::unreachable,
                                         unanswered_by(*before)});
    std::copy(one.wrong_bytes.begin(), one.wrong_bytes.end(), std::back_inserter(added.wrong_bytes));
  }
  return lost;
}

/// Fetches from the snapshot archive what every mirror lacks.
Result<Paths> fetch_lacking(const std::vector<Failed>& lacking, const Store& store, std::int64_t archive_time,
                            const FetchOptions& options, Reporter& reporter) {
  if (options.snapshot.empty()) {
    std::vector<Lost> lost;
    lost.reserve(lacking.size());
    for (const Failed& one : lacking)
      lost.push_back({one.package, one.wrong_bytes, SnapshotAnswer::turned_off, unanswered_by(one)});
    return fail(describe_lost(std::move(lost), {}, options));
  }
  ArchiveSources sources;
  std::vector<lock::Package> packages;
  for (const Failed& one : lacking) {
    packages.push_back(one.package);
    sources[one.package.archive] = snapshot_sources(options.snapshot, one.package.archive, archive_time);
  }
  TRY(Yield yield, fetch_from(sources, packages, store, with_courtesy(options),
                              "Fetching old packages from the snapshot archive", reporter));
  std::string reason;
  for (const Failed& one : yield.failed) {
    if (one.failure == Transfer::Failure::local) return fail(one.error);
    if (one.failure == Transfer::Failure::unreachable) reason = one.error.message;
  }
  if (!yield.failed.empty()) return fail(describe_lost(still_lost(lacking, yield.failed), reason, options));
  for (const Failed& one : lacking) warn_of(one.wrong_bytes, reporter);
  const auto silent =
      std::find_if(lacking.begin(), lacking.end(), [](const Failed& one) { return one.unanswered; });
  if (silent != lacking.end()) reporter.warning("skipped: " + silent->error.message);
  const bool one = packages.size() == 1;
  reporter.warning(fmt::format(
      "{} of the locked packages {} no longer on the mirrors; {} came from the snapshot archive of {}: the "
      "lock is old, and `{}` moves on",
      packages.size(), one ? "is" : "are", one ? "it" : "they", lock::time_text(archive_time),
      options.update_command));
  return std::move(yield.paths);
}

}  // namespace

Result<Paths> download(const std::vector<lock::Package>& packages, const Store& store,
                       const lock::Mirrors& mirrors, const ArchiveState& state, const FetchOptions& options,
                       Reporter& reporter) {
  CHECK_OK(initialise_curl());
  CHECK_OK(require_cache_space(store.folder(), store.bytes_to_come(packages), "the packages to fetch"));
  ArchiveSources sources;
  for (const auto& package : packages)
    sources[package.archive] = mirror_sources(mirrors, package.archive, state.suite);
  TRY(Yield yield, fetch_from(sources, packages, store, options, "Fetching packages", reporter));
  if (yield.failed.empty()) return std::move(yield.paths);
  // Where no mirror gives an answer, the network or its name is wrong: that is not what the archive is for.
  if (!all_answered(yield.failed)) return fail(describe_trouble(yield.failed, yield.troubles, options));
  TRY(Paths old, fetch_lacking(yield.failed, store, state.time, options, reporter));
  yield.paths.merge(old);
  return std::move(yield.paths);
}

}  // namespace mailstead::fetch
