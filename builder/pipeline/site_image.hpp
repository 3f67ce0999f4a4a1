// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "pipeline/base.hpp"

namespace mailstead::pipeline {

struct SiteImage {
  std::string root_hash;  ///< of the root file system's dm-verity tree
};

/// The root file system of `site`: the base's, with the site's configuration and keys rendered into it.
Result<rootfs::FileTree> compose_root(const spec::Site& site, const BaseInput& input, const Base& base);

/// Lays `site` upon the base: renders its configuration and keys into the root image, writes the slot's
/// boot partition with both root hashes on the kernel's command line, and the disk. `image` is old or new,
/// never half-written. `approve` is asked before it is touched: its error is the result, and no image is
/// written.
Result<SiteImage> write_site_image(const spec::Site& site, const BaseInput& input, const Base& base,
                                   const std::filesystem::path& image, const std::function<Status()>& approve,
                                   Reporter& reporter);

}  // namespace mailstead::pipeline
