// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "overlay/overlay.hpp"
#include "render/value.hpp"
#include "spec/site.hpp"

namespace mailstead::render {

/// Where the TLS files and DKIM keys lie in the image, relative to its root.
inline constexpr const char* kCertificatePath = "etc/ssl/mailstead/certificate.pem";
inline constexpr const char* kPrivateKeyPath = "etc/ssl/mailstead/key.pem";
std::string dkim_key_path(const spec::Domain& domain, const spec::DkimKey& key);
/// Of the public half, for the machine's proof that what leaves is signed: PEM.
std::string dkim_public_key_path(const spec::Domain& domain, const spec::DkimKey& key);
/// Where a user's sieve script from the spec lies: "etc/dovecot/sieve/alice@example.org.sieve".
std::string sieve_path(const spec::Account& account);

/// What conditions of overlays are about: all that templates know of a site but its services.
Value make_site_context(const spec::Site& site);

/// What templates know of a site with these overlays: the table in rootfs-overlays/README.md. Errors: those
/// of site_services.
Result<Value> make_context(const spec::Site& site, const std::vector<overlay::Overlay>& overlays);

}  // namespace mailstead::render
