// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "keys/openssl.hpp"

namespace mailstead::keys {

/// A key of OpenSSH and its public half, a line as in authorized_keys(5).
struct UpdateKey {
  Secret private_key;
  std::string public_key;
};

/// A new Ed25519 key, made by ssh-keygen(1). Errors: those of run().
Result<UpdateKey> new_update_key(const std::string& hostname);

/// The public half of a private key, "ssh-ed25519 AAAA… comment\n", by ssh-keygen(1). Errors
/// (ErrorKind::usage): the file is open to others, encrypted or no key.
Result<std::string> public_half(const std::filesystem::path& private_key);

}  // namespace mailstead::keys
