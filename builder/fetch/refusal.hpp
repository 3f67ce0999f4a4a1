// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>

#include "base/error.hpp"
#include "fetch/fetch.hpp"
#include "fetch/sources.hpp"

namespace mailstead::fetch {

/// Why a source does not give a package.
struct Refusal {
  /// In the order of gravity. `declined` is an HTTP status other than "not found", mostly 403: what a
  /// mirror in an object store answers for a file that it lacks. `unusable` is one that refuses all.
  enum class Why { missing, wrong_bytes, declined, unusable } why;
  Error error;
  /// Whether the source may have the package all the same.
  bool gave_no_answer() const { return why == Why::declined || why == Why::unusable; }
};

/// How a request for a package ended.
struct Answer {
  CURLcode code = CURLE_OK;
  long status = 0;        ///< of HTTP, the proxy's if that refuses a tunnel; 0: none
  std::string text;       ///< libcurl's words, without logins
  bool web_page = false;  ///< one has come instead
};

/// Whom what was asked for.
struct Question {
  const Address& source;
  const lock::Package& package;
  const std::string& index;  ///< see Sources::index
  SourceState& state;        ///< of the source
  const FetchOptions& options;
};

/// Why the source does not give the package; nothing if it may do so when asked again. What may be meant for
/// this package only is told from a refusal of everything by asking for the index.
std::optional<Refusal> find_refusal(const Question& question, const Answer& answer);

}  // namespace mailstead::fetch
