// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "spec/site.hpp"

namespace mailstead::keys {

/// Makes the keys of the site that do not exist yet: DKIM private keys (PKCS#8 PEM, RSA 2048 with e = 65537
/// or Ed25519), for TlsMode::self_signed an RSA 2048 key with a certificate for the host name, and for
/// updates by SSH an Ed25519 key of OpenSSH. Files
/// are 0600 in folders of 0700 (folders that exist keep their mode); a file appears under its name only when
/// it is complete, and nothing is ever overwritten. Returns the files made, in the order of the spec. A
/// certificate that was removed is made again for the key that is there. Errors: a folder or file that cannot
/// be written (ErrorKind::io); a folder that others may write to, a symbolic link that leads nowhere, a
/// certificate without its key (ErrorKind::usage). Files made before an error stay.
Result<std::vector<std::filesystem::path>> make_missing_keys(const spec::Site& site);

/// The DKIM keys, TLS files and public key of updates that the site needs and that do not exist, for a clear
/// message before a build.
std::vector<std::filesystem::path> missing_keys(const spec::Site& site);

/// The value of the TXT record for a DKIM key (RFC 6376 section 3.6.1, RFC 8463 section 4): "v=DKIM1; k=rsa;
/// p=…". The public key is derived from the private one in `key.private_key`, which is taken relative to the
/// current folder unless it is absolute. Errors (ErrorKind::usage): no such file, one that others than its
/// owner may read, one that is no unencrypted PEM key of the algorithm, an RSA key outside 2048 to 4096 bits,
/// halves that do not belong together.
Result<std::string> dkim_record(const spec::DkimKey& key);

/// A yescrypt hash (crypt(5), "$y$") with a random salt and the library's default cost. The password may not
/// be empty, hold NUL or line ends, or exceed 511 bytes (ErrorKind::usage).
Result<std::string> hash_password(std::string_view password);

/// A random password of 80 bits, "k7fm-x2wq-9dhp-tv3e": letters and digits that nobody mistakes for others,
/// in groups, as they are typed on a telephone. Error: the system gives no random bytes
/// (ErrorKind::internal).
Result<std::string> generate_password();

/// Why a password is easily guessed: short, of few different characters, digits alone, or a row of neighbours
/// as "abcdefghij". Empty if none of these. What is left can still be a known one.
std::string password_weakness(std::string_view password);

}  // namespace mailstead::keys
