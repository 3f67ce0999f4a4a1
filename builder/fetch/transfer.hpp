// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "fetch/fetch.hpp"

namespace mailstead::fetch {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

/// How often each mirror has failed in this run: the one that failed least is asked first, so that a dead
/// mirror costs its time-out once and not once a package.
using MirrorFailures = std::map<std::string, unsigned>;

/// One package on its way, over as many tries as it takes. Not movable: libcurl holds pointers into it.
class Transfer {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Outcome { done, again, failed };

  Transfer(lock::Package package, const std::vector<std::string>& mirrors, MirrorFailures& mirror_failures,
           const Store& store, const FetchOptions& options, Reporter::Activity& activity);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Prepares the next try. Returns the handle to give to curl_multi; null when a partial file had everything
  /// already (then call `finish` with CURLE_OK).
  Result<CURL*> begin();

  /// Judges a try that ended with `code`. `again`: wait until `not_before`, then begin again. `failed`: see
  /// `error`.
  Outcome finish(CURLcode code);

  const lock::Package& package() const { return package_; }
  const std::filesystem::path& path() const { return path_; }
  Clock::time_point not_before() const { return not_before_; }
  const Error& error() const { return error_; }
  /// Whether every mirror answered that it does not have this version.
  bool dropped() const { return dropped_; }
  /// Whether the mirrors could not be reached although tried often enough: there is no point in asking for
  /// more.
  bool unreachable() const { return unreachable_; }

 private:
  struct Refusal {
    bool missing = false;  ///< the mirror does not have the file
    Error error;
  };

  static std::size_t on_data(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  void take_header(std::string_view line);
  Status take_data(std::string_view data);
  Status check_answer();
  Status finish_file();
  Outcome refuse(Refusal refusal);
  Outcome fail_for_now(std::string reason);
  Outcome give_up(Error error);
  bool to_next_mirror();
  void choose_mirror();

  lock::Package package_;
  const std::vector<std::string>& mirrors_;
  MirrorFailures& mirror_failures_;
  const Store& store_;
  const FetchOptions& options_;
  Reporter::Activity& activity_;

  std::size_t mirror_ = 0;
  std::map<std::size_t, Refusal> refusals_;  ///< mirrors that are not asked again
  unsigned failures_ = 0;                    ///< since a try last got further than all before it
  unsigned all_failures_ = 0;                ///< of all tries
  Clock::time_point not_before_{};
  std::uint64_t reported_ = 0;  ///< bytes that the progress has counted: what is fetched twice counts once
  std::uint64_t furthest_ = 0;  ///< of `reported_`, where the last try failed

  std::optional<PartialFile> partial_;
  EasyHandle easy_;
  std::array<char, CURL_ERROR_SIZE> curl_message_{};
  std::uint64_t resumed_from_ = 0;
  // Of the answer that is being read (the last one, after redirections):
  std::optional<std::uint64_t> content_length_;
  std::optional<std::uint64_t> range_start_;
  std::optional<std::uint64_t> range_total_;
  bool answer_checked_ = false;
  Status write_status_;

  std::filesystem::path path_;
  Error error_;
  bool dropped_ = false;
  bool unreachable_ = false;
};

/// The address of a package on a mirror. '+' and ':' are percent-encoded, as apt does: some servers read '+'
/// as a space.
std::string address_of(const std::string& mirror, const lock::Package& package);

}  // namespace mailstead::fetch
