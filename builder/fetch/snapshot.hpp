// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fetch/fetch.hpp"
#include "fetch/transfer.hpp"

namespace mailstead::fetch {

/// Where the snapshot archive at `address` has the packages of `archive` ("debian", "debian-security") that
/// were there at `archive_time`, seconds since the epoch: <address>/archive/<archive>/<YYYYMMDDTHHMMSSZ>, for
/// several times, the most promising first. The service redirects a time to the last import of that archive
/// at or before it (its front page, "Usage").
Sources snapshot_sources(const Address& address, std::string_view archive, std::int64_t archive_time);

/// `options` for the snapshot archive: a courtesy, which shuts out those who ask for much at a time. Few
/// connections, long pauses.
FetchOptions with_courtesy(FetchOptions options);

}  // namespace mailstead::fetch
