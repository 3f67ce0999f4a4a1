// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/request.hpp"

#include <string_view>

namespace mailstead::fetch {
namespace {

/// What an InRelease file begins with (RFC 9580 section 7).
constexpr std::string_view kSigned = "-----BEGIN PGP SIGNED MESSAGE-----";

bool has_login(const Address& address) {
  const std::string& exact = address.exact();
  const auto begin = exact.find("://");
  return begin != std::string::npos &&
         exact.substr(begin + 3, exact.find('/', begin + 3) - begin - 3).find('@') != std::string::npos;
}

void set_proxy(CURL* easy, const Address& address, const lock::Transport& transport) {
  const auto proxy = transport.proxy(address);
  if (!proxy) return;  // libcurl reads the environment by itself
  set(easy, CURLOPT_PROXY, proxy->exact().c_str());
  const auto login = has_login(*proxy) ? std::nullopt : transport.login(*proxy);
  if (!login) return;
  set(easy, CURLOPT_PROXYUSERNAME, login->user.c_str());
  set(easy, CURLOPT_PROXYPASSWORD, login->password.c_str());
}

void set_tls(CURL* easy, const lock::TlsSettings& tls) {
  if (!tls.ca_file.empty()) set(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
  if (!tls.crl_file.empty()) set(easy, CURLOPT_CRLFILE, tls.crl_file.c_str());
  if (!tls.certificate.empty()) set(easy, CURLOPT_SSLCERT, tls.certificate.c_str());
  if (!tls.key.empty()) set(easy, CURLOPT_SSLKEY, tls.key.c_str());
  // What comes is proved by its digest all the same.
  set(easy, CURLOPT_SSL_VERIFYPEER, tls.verify_peer ? 1L : 0L);
  set(easy, CURLOPT_SSL_VERIFYHOST, tls.verify_peer && tls.verify_host ? 2L : 0L);
}

/// Takes the first bytes, and ends the transfer when they are enough.
std::size_t take_beginning(char* data, std::size_t size, std::size_t count, void* text) {
  auto& beginning = *static_cast<std::string*>(text);
  beginning.append(data, size * count);
  return beginning.size() < kSigned.size() ? size * count : 0;
}

}  // namespace

EasyHandle make_request(const Address& address, const FetchOptions& options) {
  EasyHandle handle(curl_easy_init());
  CURL* easy = handle.get();
  if (easy == nullptr) return handle;
  set(easy, CURLOPT_URL, address.exact().c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https,file");
  set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 1L);
  set(easy, CURLOPT_MAXREDIRS, 5L);
  set(easy, CURLOPT_FAILONERROR, 1L);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_USERAGENT, "mailstead");
  set(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout.count()));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, 1000L);
  set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
  const lock::Transport& transport = options.transport;
  if (transport.forces("ForceIPv4")) set(easy, CURLOPT_IPRESOLVE, static_cast<long>(CURL_IPRESOLVE_V4));
  if (transport.forces("ForceIPv6")) set(easy, CURLOPT_IPRESOLVE, static_cast<long>(CURL_IPRESOLVE_V6));
  if (address.exact().starts_with("file:")) return handle;
  set_proxy(easy, address, transport);
  set_tls(easy, transport.tls(address));
  // libcurl does not send it on to another server.
  if (const auto login = has_login(address) ? std::nullopt : transport.login(address)) {
    set(easy, CURLOPT_USERNAME, login->user.c_str());
    set(easy, CURLOPT_PASSWORD, login->password.c_str());
  }
  return handle;
}

bool is_web_page(CURL* easy) {
  const char* type = nullptr;
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
  return type != nullptr && std::string_view(type).starts_with("text/html");
}

bool gives_index(const Address& mirror, const std::string& index, const FetchOptions& options) {
  const EasyHandle handle = make_request(mirror / index, options);
  if (!handle) return false;
  std::string beginning;
  set(handle.get(), CURLOPT_WRITEFUNCTION, &take_beginning);
  set(handle.get(), CURLOPT_WRITEDATA, static_cast<void*>(&beginning));
  static_cast<void>(curl_easy_perform(handle.get()));
  return beginning.starts_with(kSigned);
}

}  // namespace mailstead::fetch
