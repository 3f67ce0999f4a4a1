// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "base/result.hpp"

struct ssl_st;  // SSL, OpenSSL

namespace mailstead::mailtest {

/// What a client of TLS offers: one version and suite, as an old or a strict program does; if both are empty,
/// what is usual.
struct TlsOffer {
  std::string version;  ///< TLSv1, TLSv1.1, TLSv1.2, TLSv1.3
  std::string suite;    ///< OpenSSL's name for it: ECDHE-RSA-AES128-GCM-SHA256
};

/// Makes `tls` offer only that, however weak it is. Errors: ErrorKind::usage, a name that this machine's
/// OpenSSL does not know.
Status apply_offer(ssl_st* tls, const TlsOffer& offer);

}  // namespace mailstead::mailtest
