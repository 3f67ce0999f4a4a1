// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "spec/site.hpp"

namespace mailstead::keys {

/// What check_keys found, each error at its place in the spec where that names the file.
struct Findings {
  std::vector<Error> errors;    ///< ErrorKind::usage, in the order of the files
  std::vector<Error> untimely;  ///< would be errors, but come from the clock alone: expired, not valid yet
  std::vector<Error> warnings;  ///< worth a look; the appliance works
};

/// Looks into the key files that are there (see missing_keys for the others), for what would otherwise be
/// noticed only by mail programs and by the receivers of mail. `now` is in seconds since the epoch.
///
/// Errors: a DKIM key that dkim_record refuses; a certificate file that holds other things than certificates;
/// a certificate without an alternative name for the host (RFC 6125 section 6.4; the common name does not
/// count), not for TLS servers, or with a key below 112 bits of security (RSA with less than 2048 bits),
/// which OpenSSL refuses to use at Debian's security level 2; a private key that belongs to another
/// certificate or is open to others; a key of updates that cannot be used, or has another public half.
/// Warnings: the last 14 days of a certificate; a chain without the issuer of its first certificate, or not
/// in order.
Findings check_keys(const spec::Site& site, std::int64_t now);

}  // namespace mailstead::keys
