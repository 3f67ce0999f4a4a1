// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/downloader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/interrupt.hpp"

namespace mailstead::fetch {

Downloader::Downloader(const FetchOptions& options, std::list<Transfer>& transfers)
    : options_(options), multi_(curl_multi_init()) {
  for (auto& transfer : transfers) waiting_.push_back(&transfer);
}

Downloader::~Downloader() {
  for (const auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_.get(), easy);
}

Status Downloader::run() {
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

std::size_t Downloader::connections() const {
  return std::clamp(options_.connections, 1u, 64u);
}

/// Those that are running always finish: what they bring, the next run need not fetch.
bool Downloader::unfinished() const {
  return !active_.empty() || (!waiting_.empty() && !giving_up_);
}

Status Downloader::start_ready() {
  const auto now = Transfer::Clock::now();
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

void Downloader::sort_in(Transfer* transfer, Transfer::Outcome outcome) {
  switch (outcome) {
    case Transfer::Outcome::done:
      done_.push_back(transfer);
      break;
    case Transfer::Outcome::again:
      waiting_.push_front(transfer);
      break;
    case Transfer::Outcome::failed:
      failed_.push_back(transfer);
      giving_up_ = giving_up_ || transfer->failure() != Transfer::Failure::lacking;
      break;
  }
}

/// Takes in what has ended.
void Downloader::collect() {
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
int Downloader::pause() const {
  auto least = std::chrono::milliseconds(200);
  if (active_.size() < connections()) {
    for (const Transfer* transfer : waiting_) {
      const auto rest =
          std::chrono::ceil<std::chrono::milliseconds>(transfer->not_before() - Transfer::Clock::now());
      least = std::clamp(rest, std::chrono::milliseconds(0), least);
    }
  }
  return static_cast<int>(least.count());
}

}  // namespace mailstead::fetch
