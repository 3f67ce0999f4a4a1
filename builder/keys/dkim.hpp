// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "base/result.hpp"
#include "keys/openssl.hpp"
#include "spec/site.hpp"

namespace mailstead::keys {

/// A new DKIM private key as PKCS#8 PEM: RSA 2048 with e = 65537 (RFC 8301 section 3.2) or Ed25519 (RFC
/// 8463).
Result<Secret> new_dkim_key(spec::DkimAlgorithm algorithm);

}  // namespace mailstead::keys
