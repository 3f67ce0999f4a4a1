// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "render/value.hpp"
#include "spec/site.hpp"

namespace mailstead::render {

/// Where the TLS files and DKIM keys lie in the image, relative to its root.
inline constexpr const char* kCertificatePath = "etc/ssl/mailstead/certificate.pem";
inline constexpr const char* kPrivateKeyPath = "etc/ssl/mailstead/key.pem";
std::string dkim_key_path(const spec::Domain& domain, const spec::DkimKey& key);
/// Where a user's sieve script from the spec lies: "etc/dovecot/sieve/alice@example.org.sieve".
std::string sieve_path(const spec::Account& account);

/// What templates know of a site: the table in rootfs-overlays/README.md.
Value make_context(const spec::Site& site);

}  // namespace mailstead::render
