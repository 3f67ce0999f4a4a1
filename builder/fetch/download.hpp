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

/// Which state of the archive packages are from.
struct ArchiveState {
  std::string suite;
  std::int64_t time = 0;  ///< seconds since the epoch
};

/// Downloads `packages` into the store, several at a time over kept connections: from the mirrors, then, what
/// all of these lack, from the snapshot archive around the time of `state`. The result has the path of each,
/// by digest. Errors: see fetch_packages.
Result<std::map<std::string, std::filesystem::path>> download(
    const std::vector<lock::Package>& packages, const Store& store, const lock::Mirrors& mirrors,
    const ArchiveState& state, const FetchOptions& options, Reporter& reporter);

}  // namespace mailstead::fetch
