// SPDX-License-Identifier: GPL-3.0-or-later
#include "fetch/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace mailstead::fetch {
namespace {

/// YYYYMMDDTHHMMSSZ
std::string stamp(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace

Sources snapshot_sources(const Address& address, std::string_view archive, std::int64_t archive_time) {
  // The archive is signed first and imported hours later, so that the last import before `archive_time` lacks
  // what was new then; and what has been superseded stays in the pool for a day and more. A day later is
  // therefore in the middle of what was there. The time itself is for what was removed at once, a week for
  // the times when imports were late.
  constexpr std::chrono::seconds kLater[] = {std::chrono::days(1), std::chrono::days(0),
                                             std::chrono::days(7)};
  Sources sources;
  sources.one_server = true;
  for (const auto later : kLater) {
    const std::chrono::sys_seconds time{std::chrono::seconds(archive_time) + later};
    sources.addresses.push_back(address / fmt::format("archive/{}/{}", archive, stamp(time)));
  }
  return sources;
}

FetchOptions with_courtesy(FetchOptions options) {
  options.connections = std::min(options.connections, 2u);
  options.backoff *= 4;
  return options;
}

}  // namespace mailstead::fetch
