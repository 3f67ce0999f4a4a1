// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/download.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <mutex>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "fetch/transfer.hpp"
#include "lock/text.hpp"

namespace mailstead::fetch {
namespace {

using Clock = Transfer::Clock;

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

Status initialise_curl() {
  static std::once_flag once;
  static CURLcode code = CURLE_OK;
  std::call_once(once, [] { code = curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (code != CURLE_OK) return fail(ErrorKind::internal, "libcurl cannot be initialised");
  return ok();
}

/// Keeps `connections` transfers going until none is left.
class Downloader {
 public:
  Downloader(const FetchOptions& options, std::list<Transfer>& transfers)
      : options_(options), multi_(curl_multi_init()) {
    for (auto& transfer : transfers) waiting_.push_back(&transfer);
  }
  ~Downloader() {
    for (const auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_.get(), easy);
  }
  Downloader(const Downloader&) = delete;
  Downloader& operator=(const Downloader&) = delete;

  Status run() {
    if (!multi_) return fail(ErrorKind::internal, "libcurl cannot be initialised");
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(connections()));
    while (unfinished()) {
      CHECK_OK(check_interrupt());
      if (!giving_up_) CHECK_OK(start_ready());
      int running = 0;
      if (const CURLMcode code = curl_multi_perform(multi_.get(), &running); code != CURLM_OK) {
        return fail(ErrorKind::internal, fmt::format("libcurl failed: {}", curl_multi_strerror(code)));
      }
      collect();
      if (unfinished()) curl_multi_poll(multi_.get(), nullptr, 0, pause(), nullptr);
    }
    return ok();
  }

  const std::vector<const Transfer*>& done() const { return done_; }
  const std::vector<const Transfer*>& failed() const { return failed_; }

 private:
  std::size_t connections() const { return std::clamp(options_.connections, 1u, 64u); }

  /// Those that are running always finish: what they bring, the next run need not fetch.
  bool unfinished() const { return !active_.empty() || (!waiting_.empty() && !giving_up_); }

  Status start_ready() {
    const auto now = Clock::now();
    // One that pauses keeps its place: with a mirror in trouble, others would only fail as well.
    std::size_t pausing = 0;
    for (auto it = waiting_.begin(); it != waiting_.end() && active_.size() + pausing < connections();) {
      if ((*it)->not_before() > now) {
        ++pausing;
        ++it;
        continue;
      }
      Transfer* transfer = *it;
      it = waiting_.erase(it);
      TRY(CURL * easy, transfer->begin());
      if (easy == nullptr) {
        sort_in(transfer, transfer->finish(CURLE_OK));
      } else {
        curl_multi_add_handle(multi_.get(), easy);
        active_.emplace(easy, transfer);
      }
    }
    return ok();
  }

  void sort_in(Transfer* transfer, Transfer::Outcome outcome) {
    switch (outcome) {
      case Transfer::Outcome::done:
        done_.push_back(transfer);
        break;
      case Transfer::Outcome::again:
        waiting_.push_front(transfer);
        break;
      case Transfer::Outcome::failed:
        failed_.push_back(transfer);
        giving_up_ = giving_up_ || transfer->unreachable() || transfer->error().kind == ErrorKind::io;
        break;
    }
  }

  /// Takes in what has ended.
  void collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;
      const auto entry = active_.find(easy);
      Transfer* transfer = entry->second;
      active_.erase(entry);
      curl_multi_remove_handle(multi_.get(), easy);
      sort_in(transfer, transfer->finish(code));
    }
  }

  /// Milliseconds until something waits no longer, at most a fifth of a second so that an interrupt is
  /// noticed.
  int pause() const {
    auto least = std::chrono::milliseconds(200);
    if (active_.size() < connections()) {
      for (const Transfer* transfer : waiting_) {
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(transfer->not_before() - Clock::now());
        least = std::clamp(rest, std::chrono::milliseconds(0), least);
      }
    }
    return static_cast<int>(least.count());
  }

  const FetchOptions& options_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::list<Transfer*> waiting_;
  std::map<CURL*, Transfer*> active_;
  std::vector<const Transfer*> done_;
  std::vector<const Transfer*> failed_;
  bool giving_up_ = false;  ///< to start another one is of no use
};

/// All failures in one error: those with wrong bytes one by one, dropped versions together, and so those for
/// which mirrors were unreachable, with the first one's reason.
Error summarize(const std::vector<const Transfer*>& failed) {
  std::vector<Error> errors;
  std::vector<std::string> dropped;
  const Transfer* unreachable = nullptr;
  std::vector<std::string> likewise;
  for (const Transfer* transfer : failed) {
    std::string name = fmt::format("{} {}", transfer->package().name, transfer->package().version);
    if (transfer->dropped()) {
      dropped.push_back(std::move(name));
    } else if (!transfer->unreachable()) {
      errors.push_back(transfer->error());
    } else if (unreachable == nullptr) {
      unreachable = transfer;
    } else {
      likewise.push_back(std::move(name));
    }
  }
  if (unreachable != nullptr) {
    Error error = unreachable->error();
    std::sort(likewise.begin(), likewise.end());
    if (!likewise.empty()) error.notes.push_back("nor " + lock::list_some(likewise));
    errors.push_back(std::move(error));
  }
  if (!dropped.empty()) {
    std::sort(dropped.begin(), dropped.end());
    errors.push_back(
        Error{ErrorKind::network,
              fmt::format("the mirrors have dropped {} of the locked packages: {}", dropped.size(),
                          lock::list_some(dropped)),
              {},
              "`mailstead lock --update` moves on to the versions that they have now; an archive of old "
              "versions, given with --mirror, still has these",
              {},
              {}});
  }
  return join_errors(std::move(errors));
}

}  // namespace

Result<std::map<std::string, std::filesystem::path>> download(const std::vector<lock::Package>& packages,
                                                              const Store& store,
                                                              const lock::Mirrors& mirrors,
                                                              const FetchOptions& options,
                                                              Reporter& reporter) {
  CHECK_OK(initialise_curl());
  std::uint64_t total = 0;
  for (const auto& package : packages) {
    if (mirrors.of(package.archive).empty()) return fail(ErrorKind::internal, "no mirror was given");
    total += package.size;
  }
  const auto begin = Clock::now();
  const auto activity = reporter.start("Fetching packages", total, Reporter::Unit::bytes);
  MirrorFailures mirror_failures;
  std::list<Transfer> transfers;
  for (const auto& package : packages) {
    transfers.emplace_back(package, mirrors.of(package.archive), mirror_failures, store, options, *activity);
  }
  Downloader downloader(options, transfers);
  CHECK_OK(downloader.run());
  if (!downloader.failed().empty()) return fail(summarize(downloader.failed()));

  std::map<std::string, std::filesystem::path> paths;
  for (const Transfer* transfer : downloader.done()) paths[transfer->package().sha256] = transfer->path();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  activity->set_result(fmt::format(
      "{} packages, {}, {}/s", packages.size(), human_size(total),
      human_size(static_cast<std::uint64_t>(static_cast<double>(total) / std::max(seconds, 0.001)))));
  return paths;
}

}  // namespace mailstead::fetch
