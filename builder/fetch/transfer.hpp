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
#include "fetch/refusal.hpp"
#include "fetch/request.hpp"
#include "fetch/sources.hpp"

namespace mailstead::fetch {

/// One package on its way, over as many tries as it takes. Not movable: libcurl holds pointers into it.
class Transfer {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Outcome { done, again, failed };
  enum class Failure {
    none,
    lacking,      ///< no source that answers gives the package, or they have other bytes of it
    unusable,     ///< all sources refuse everything: they want a login, or their certificates are wrong
    unreachable,  ///< none has answered, though tried often enough: there is no point in asking for more
    local,        ///< the disk
  };

  /// `sources` has at least one address; it and what follows must outlive the transfer.
  Transfer(lock::Package package, const Sources& sources, SourceStates& states, const Store& store,
           const FetchOptions& options, Reporter::Activity& activity);
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
  Failure failure() const { return failure_; }
  /// Why it failed; of several reasons the gravest.
  const Error& error() const { return error_; }
  /// The answers that had other bytes than the lock says (ErrorKind::integrity), in the order of the sources;
  /// there may be some though the next source was right.
  std::vector<Error> wrong_bytes() const;
  /// Whether it is lacking, but a source did not say whether it has it: `error` says which and why.
  bool unanswered() const { return unanswered_; }

 private:
  static std::size_t on_data(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  void take_header(std::string_view line);
  Status take_data(std::string_view data);
  Status check_answer();
  Status finish_file();
  Outcome refuse(Refusal refusal);
  Outcome fail_for_now(std::string reason, std::chrono::seconds asked_pause = {});
  Outcome give_up(Failure failure, Error error);
  bool to_next_source();
  void choose_source();
  bool is_lacking_somewhere() const;
  const Address& source() const { return sources_.addresses[current_]; }
  SourceState& state() { return states_[source()]; }

  lock::Package package_;
  const Sources& sources_;
  SourceStates& states_;
  const Store& store_;
  const FetchOptions& options_;
  Reporter::Activity& activity_;

  bool unanswered_ = false;
  std::size_t current_ = 0;                  ///< of the sources
  std::map<std::size_t, Refusal> refusals_;  ///< sources that are not asked again
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
  bool web_page_ = false;  ///< it is one
  Status write_status_;

  std::filesystem::path path_;
  Failure failure_ = Failure::none;
  Error error_;
};

/// The address of a package at a source. '+' and ':' are percent-encoded, as apt does: some servers read '+'
/// as a space.
Address address_of(const Address& source, const lock::Package& package);

}  // namespace mailstead::fetch
