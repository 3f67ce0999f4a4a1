// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/result.hpp"
#include "pipeline/project.hpp"

namespace mailstead::pipeline {

/// Writes our configuration files as the image of this site will have them, plain and rendered, below
/// `folder`, which must not exist or be empty. Nothing is fetched or built; keys are left out. Files are
/// 0600, because the users' file holds password hashes. Returns how many files were written.
Result<std::size_t> write_rendered(const Project& project, const std::filesystem::path& folder);

}  // namespace mailstead::pipeline
