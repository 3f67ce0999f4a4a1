// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "fetch/fetch.hpp"

namespace mailstead::fetch {

/// Downloads `packages` into the store, several at a time over kept connections: from the mirrors, then, what
/// all of these lack, from the snapshot archive around `archive_time` (seconds since the epoch). The result
/// has the path of each, by digest. Errors: see fetch_packages.
Result<std::map<std::string, std::filesystem::path>> download(
    const std::vector<lock::Package>& packages, const Store& store, const lock::Mirrors& mirrors,
    std::int64_t archive_time, const FetchOptions& options, Reporter& reporter);

}  // namespace mailstead::fetch
