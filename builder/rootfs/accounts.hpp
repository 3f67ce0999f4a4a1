// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "overlay/overlay.hpp"
#include "rootfs/file_tree.hpp"

namespace mailstead::rootfs {

/// Writes etc/passwd, group, shadow, gshadow, subuid and subgid (passwd(5), group(5), shadow(5), gshadow(5)).
/// Every password is locked ("!*"): nobody logs in to the appliance with one. shadow and gshadow are 0640 and
/// belong to group shadow if there is one, else 0600. Fields for the age of passwords are empty, so that the
/// files depend on the accounts only. `clock` is the time of the files, seconds since the epoch.
///
/// Errors (ErrorKind::usage): a name that useradd(8) would refuse, a field with ':' or control characters, a
/// name or id twice, a primary group or member that does not exist.
Status write_accounts(const overlay::Accounts& accounts, std::int64_t clock, FileTree& tree);

/// The uid of a user, the gid of a group. Errors (ErrorKind::usage): there is none of that name.
Result<std::uint32_t> resolve_owner(const overlay::Accounts& accounts, std::string_view name);
Result<std::uint32_t> resolve_group(const overlay::Accounts& accounts, std::string_view name);

}  // namespace mailstead::rootfs
