// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "overlay/overlay.hpp"
#include "rootfs/control.hpp"

namespace mailstead::rootfs {

/// Names the maintainer scripts of a package: the first 16 hexadecimal digits of a SHA-256 over what dpkg
/// would run when the package is installed for the first time. Empty if there is nothing of the kind, so
/// nothing to review.
///
/// What counts: `preinst`, `postinst`, and the `interest…` lines of `triggers` (deb-triggers(5)), because
/// they have the postinst run when other packages bring files (ldconfig, hwdb, catalog, …). What does not:
/// `prerm` and `postrm`, which never run on a fresh image; `activate…` lines, which do nothing by themselves;
/// `config` and `templates`, which only ask questions that nobody answers here.
///
/// So that a new version with the same scripts keeps its digest, these are replaced first: the package's own
/// version (whole words only), in linux-image packages the kernel release of the name and the upstream
/// version, and debhelper's version in its "Automatically added by" comments.
std::string script_digest(const ControlData& control);

/// Checks that the scripts of every package were reviewed: that a review names the package (or matches it as
/// a glob, for kernels) and lists its digest. Errors (ErrorKind::integrity): all packages of which that is
/// not so, each with name, version, digest, the first 40 lines of each script, and where the review belongs.
Status check_reviews(const std::vector<ControlData>& packages, const std::vector<overlay::Review>& reviews);

}  // namespace mailstead::rootfs
