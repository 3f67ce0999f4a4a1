// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/tls_offer.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <map>

namespace mailstead::mailtest {

Status apply_offer(ssl_st* tls, const TlsOffer& offer) {
  if (offer.version.empty()) return ok();
  static const std::map<std::string, int> versions = {{"TLSv1", TLS1_VERSION},
                                                      {"TLSv1.1", TLS1_1_VERSION},
                                                      {"TLSv1.2", TLS1_2_VERSION},
                                                      {"TLSv1.3", TLS1_3_VERSION}};
  const auto version = versions.find(offer.version);
  if (version == versions.end())
    return fail(ErrorKind::usage, "there is no TLS version '" + offer.version + "'",
                "use TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3");
  SSL_set_security_level(tls, 0);
  const bool latest = version->second == TLS1_3_VERSION;
  const int known =
      latest ? SSL_set_ciphersuites(tls, offer.suite.c_str()) : SSL_set_cipher_list(tls, offer.suite.c_str());
  if (known != 1 || SSL_set_min_proto_version(tls, version->second) != 1 ||
      SSL_set_max_proto_version(tls, version->second) != 1) {
    ERR_clear_error();
    return fail(ErrorKind::usage, "OpenSSL does not know the suite '" + offer.suite + "' of " + offer.version,
                "`openssl ciphers -v ALL:@SECLEVEL=0` lists them");
  }
  return ok();
}

}  // namespace mailstead::mailtest
