// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <curl/curl.h>

#include <list>
#include <map>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "fetch/transfer.hpp"

namespace mailstead::fetch {

/// Keeps as many transfers going as the options allow, until none is left or more are of no use.
class Downloader {
 public:
  /// `options` and `transfers` must outlive it.
  Downloader(const FetchOptions& options, std::list<Transfer>& transfers);
  ~Downloader();
  Downloader(const Downloader&) = delete;
  Downloader& operator=(const Downloader&) = delete;

  /// Those that run when one cannot be reached are finished, others not begun. Errors: ErrorKind::internal
  /// (libcurl), ErrorKind::interrupted, ErrorKind::io; a transfer that failed is none.
  Status run();

  const std::vector<const Transfer*>& done() const { return done_; }
  const std::vector<const Transfer*>& failed() const { return failed_; }

 private:
  struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  std::size_t connections() const;
  bool unfinished() const;
  Status start_ready();
  void sort_in(Transfer* transfer, Transfer::Outcome outcome);
  void collect();
  int pause() const;

  const FetchOptions& options_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::list<Transfer*> waiting_;
  std::map<CURL*, Transfer*> active_;
  std::vector<const Transfer*> done_;
  std::vector<const Transfer*> failed_;
  bool giving_up_ = false;  ///< to start another one is of no use
};

}  // namespace mailstead::fetch
