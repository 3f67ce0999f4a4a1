// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "base/result.hpp"
#include "keys/openssl.hpp"

namespace mailstead::keys {

/// A new RSA key of 2048 bits: servers of other domains that have only RSA's suites deliver under TLS, too.
Result<PKey> new_tls_key();

/// A self-signed X.509v3 certificate (RFC 5280) in PEM for `key`, SHA-256, a random serial number of 128
/// bits, for TLS servers only, valid from a day ago (the appliance's or a client's clock may be behind) for
/// 825 days.
///
/// `hostname` (A-label form) is its only name, because it is the only one that clients are sent to: MX and
/// SRV records name nothing else. A list of the domains would tell every client who else lives here.
Result<std::string> self_signed_certificate(EVP_PKEY& key, const std::string& hostname);

}  // namespace mailstead::keys
