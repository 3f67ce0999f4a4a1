// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "mailtest/world.hpp"

namespace mailstead::mailtest {

/// A root zone that holds all of these names itself, as a master file (RFC 1035 section 5): no delegation, so
/// that one server is the whole tree. It is not signed, since only ICANN can sign with the root's key: a
/// validating resolver must refuse every name in it, except below zones that it is configured to take as
/// unsigned. Errors: ErrorKind::usage, a record that the file's form cannot hold.
Result<std::string> root_zone(const std::vector<DnsRecord>& records);

/// Configuration of nsd (nsd.conf(5)) that serves that zone on the addresses of all root servers.
std::string nsd_configuration(const std::filesystem::path& folder);

/// One of these addresses: a.root-servers.net.
inline constexpr const char* kFirstRootServer = "198.41.0.4";

/// Inside run_enclosed, after make_network: routes the root servers' addresses to this host and writes zone
/// and configuration into a folder "root-servers" of `folder`, where the log will be, too. Returns the
/// command to start. Errors: those of root_zone; no `ip`.
Result<vm::Daemon> prepare_root_servers(const std::vector<DnsRecord>& records,
                                        const std::filesystem::path& folder);

}  // namespace mailstead::mailtest
