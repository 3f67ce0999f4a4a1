// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "spec/site.hpp"

namespace mailstead::keys {

/// Makes the keys of the site that do not exist yet: DKIM private keys (PKCS#8 PEM, RSA 2048 with e = 65537 or Ed25519)
/// and, for TlsMode::self_signed, an ECDSA P-256 key with a certificate for the host name and the mail host names of the
/// domains. Files are 0600 in folders of 0700; nothing is ever overwritten. Returns the files made.
Result<std::vector<std::filesystem::path>> make_missing_keys(const spec::Site& site);

/// The DKIM keys and TLS files that the site needs and that do not exist, for a clear message before a build.
std::vector<std::filesystem::path> missing_keys(const spec::Site& site);

/// The value of the TXT record for a DKIM key (RFC 6376 section 3.6.1, RFC 8463 section 4): "v=DKIM1; k=rsa; p=…".
Result<std::string> dkim_record(const spec::DkimKey& key);

/// A yescrypt hash (crypt(5), "$y$") with a random salt. The password may not be empty or hold NUL or line ends.
Result<std::string> hash_password(std::string_view password);

}  // namespace mailstead::keys
