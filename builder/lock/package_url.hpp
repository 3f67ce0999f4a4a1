// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace mailstead::lock {

/// The package URL of a Debian package: "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=trixie".
/// `architecture` is "source" for a source package. Source: Package-URL specification, types "deb" and rules
/// for percent-encoding.
std::string package_url(std::string_view name, std::string_view version, std::string_view architecture,
                        std::string_view suite);

}  // namespace mailstead::lock
