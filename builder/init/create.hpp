// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.hpp"
#include "init/answers.hpp"

namespace mailstead::init {

/// The spec's name in its folder.
inline constexpr const char* kSpec = "mail.yaml";

/// Whether a site can be made in `folder`: it does not exist, or has neither a spec nor keys. To be asked
/// before a person is. Errors (ErrorKind::usage): it has them; it is no folder; the one that it would be made
/// in does not exist or is not ours to write to.
Status check_place(const std::filesystem::path& folder);

/// Makes the site in `folder`: the spec (0600, as it holds password hashes), the keys, and a .gitignore
/// unless there is one. All or nothing: it is complete before any name appears. A new folder is for its owner
/// only. Returns how many key files were made. Errors: those of check_place and keys::make_missing_keys.
Result<std::size_t> create_site(const std::filesystem::path& folder, const Answers& answers);

}  // namespace mailstead::init
