// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mailstead::crypto {

/// The public half of a private key in PEM (RFC 7468), as PEM too ("PUBLIC KEY", SubjectPublicKeyInfo).
/// Errors (ErrorKind::usage): `private_pem` is not a private key, or it is encrypted.
Result<std::string> public_key_pem(std::string_view private_pem);

}  // namespace mailstead::crypto
