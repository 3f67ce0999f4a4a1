// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "base/address.hpp"
#include "fetch/fetch.hpp"

namespace mailstead::fetch {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

/// Sets an option of libcurl. Those used here exist in every libcurl since 7.85; what can fail is memory, and
/// then the transfer fails too.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  static_cast<void>(curl_easy_setopt(easy, option, value));
}

/// A request for `address`, with the proxy, login and certificates that this machine's APT would use; where
/// what comes goes to is still to be said. Null: libcurl has no memory.
EasyHandle make_request(const Address& address, const FetchOptions& options);

/// Whether a web page has come in the place of a file.
bool is_web_page(CURL* easy);

/// Whether a mirror gives the file `index` ("dists/trixie/InRelease"), which each of them has. One that does
/// not refuses everything, or is not reached at all: a network that asks for a login answers in its place.
bool gives_index(const Address& mirror, const std::string& index, const FetchOptions& options);

}  // namespace mailstead::fetch
