// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace mailstead::lock {

/// The fingerprints (upper-case hexadecimal) of the keys and subkeys in a keyring: OpenPGP packets, or ASCII
/// armour of such (RFC 9580 sections 5.5.4 and 6.2), of which there may be several blocks. Nothing is
/// verified: this tells keyrings apart, signatures are for APT to check. What cannot be read has no keys.
std::set<std::string> key_fingerprints(std::string_view keyring);

}  // namespace mailstead::lock
