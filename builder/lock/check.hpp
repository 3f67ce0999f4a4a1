// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "lock/lock.hpp"

namespace mailstead::lock {

/// ok() when `lock` answers `request`. Else an error (ErrorKind::usage) that says what is asked for now and
/// was not when the lock was made, and the other way round; or which of the packages asked for it lacks.
Status check_lock(const Lock& lock, const Request& request);

/// ok() unless the archive state of `after` is older than that of `before`: a mirror that stands still, or
/// one that plays back an old state with its valid signature, would otherwise undo security updates silently.
/// Nor may a package become older: that is how the old state of one suite beside fresh others shows.
/// Locks for different suites are not compared. Error: ErrorKind::integrity, with both times, or the
/// packages.
Status check_not_older(const Lock& before, const Lock& after);

/// ok() unless a user or group has another number in `after` than in `before`, or a number another name: what
/// an appliance keeps on its disk over an update would belong to somebody else. Error: ErrorKind::integrity,
/// with all of them.
Status check_same_ids(const Lock& before, const Lock& after);

/// What changed between two locks, a line each, for people. First what they are for: "suite: old -> new",
/// "+ asked for the system: name", "- user name=number" and the like. Then the packages in order of their
/// names: "+ name version", "- name version", "^ name old -> new" (newer), "v name old -> new" (older),
/// "= name version (…)" (other bytes or roles under the same version). A tool of another architecture than
/// the appliance is named "name:arch". Empty when nothing changed.
std::vector<std::string> diff_locks(const Lock& before, const Lock& after);

}  // namespace mailstead::lock
