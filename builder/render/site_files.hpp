// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "rootfs/file_tree.hpp"
#include "spec/site.hpp"

namespace mailstead::render {

/// Writes the files of a site that have no template: host name, time zone, TLS and DKIM keys, sieve scripts
/// and Postfix's indexed maps. Private keys are 0600 and root's; manifests widen that where a service needs
/// it. `units` is as in render_site. Errors: a key that cannot be read, a time zone that the image does not
/// know (both ErrorKind::usage).
Status write_site_files(const spec::Site& site, std::int64_t clock, const rootfs::FileTree& units,
                        rootfs::FileTree& tree);

}  // namespace mailstead::render
