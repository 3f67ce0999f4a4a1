// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.hpp"
#include "rootfs/file_tree.hpp"
#include "verify/report.hpp"

namespace mailstead::verify {

/// Adds a finding for each difference between two trees: paths that only one has, type, mode, owner, time,
/// content, target, extended attributes, which names are hard links of each other.
/// \param clock upper bound of the times in `expected`: an image has none that are later
/// \param partition_of the label of the partition that a path lies on
/// Errors: those of reading a content.
Status compare_trees(const rootfs::FileTree& expected, const rootfs::FileTree& found, std::int64_t clock,
                     const std::function<std::string(const std::string& path)>& partition_of, Check& check);

}  // namespace mailstead::verify
