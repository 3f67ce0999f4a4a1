// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "image/records.hpp"
#include "pipeline/base.hpp"

namespace mailstead::pipeline {

/// A file of a base, and what part of the disk it is.
struct BaseFile {
  const char* name;
  const char* part;  ///< null: none, but needed to make a site's part
};
/// Those of a base for `machine`, in the order of records.
std::vector<BaseFile> base_files(const platform::Machine& machine);

/// The base called `id` whose files are, or will be, in `folder`.
Base base_in(const std::filesystem::path& folder, const std::string& id, const platform::Machine& machine);

/// SHA-256 of each file of the base in `folder`, in the order of `files`. Side by side: the image of /usr
/// is as large as all others.
Result<std::vector<std::string>> digest_files(const std::filesystem::path& folder,
                                              const std::vector<BaseFile>& files);

/// Those of the files that get onto the disk as they are.
std::vector<image::PublicPart> parts_in(const std::filesystem::path& folder,
                                        const std::vector<BaseFile>& files,
                                        const std::vector<std::string>& digests);

}  // namespace mailstead::pipeline
