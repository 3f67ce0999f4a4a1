// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <vector>

#include "overlay/overlay.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::overlay {

/// The reviewed maintainer scripts of packages, sorted by package.
Result<std::vector<Review>> load_reviews(const std::filesystem::path& file);

}  // namespace mailstead::overlay
