// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
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
inline constexpr std::array kBaseFiles = {BaseFile{"usr.img", image::kUsrPart},
                                          BaseFile{"vmlinuz", image::kKernelPart},
                                          BaseFile{"initrd.img", image::kInitrdPart},
                                          BaseFile{"esp.img", image::kEspPart},
                                          BaseFile{"mbr.bin", image::kMbrPart},
                                          BaseFile{"core.img", image::kBiosPart},
                                          BaseFile{"root.tar", nullptr},
                                          BaseFile{"units.tar", nullptr}};

/// The base called `id` whose files are, or will be, in `folder`.
Base base_in(const std::filesystem::path& folder, const std::string& id);

/// SHA-256 of each file of the base in `folder`, in the order of kBaseFiles. Side by side: the image of /usr
/// is as large as all others.
Result<std::vector<std::string>> digest_files(const std::filesystem::path& folder);

/// Those of the files that get onto the disk as they are.
std::vector<image::PublicPart> parts_in(const std::filesystem::path& folder,
                                        const std::vector<std::string>& digests);

}  // namespace mailstead::pipeline
