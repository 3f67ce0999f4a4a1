// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "base/files.hpp"
#include "base/reporter.hpp"
#include "base/result.hpp"

namespace mailstead::mailtest {

/// Runs `work` in a child process with user, network and mount namespaces of its own, where it can add
/// devices and addresses without being root, and from which no packet leaves. The child reports its progress
/// to `reporter`; returns the string or the error that `work` returned. The child ends if this process ends.
/// Errors: the system forbids such namespaces (with the remedy), the child crashed.
Result<std::string> run_enclosed(const std::function<Result<std::string>(Reporter&)>& work,
                                 Reporter& reporter);

/// Inside run_enclosed: the loopback device up, a tap device "tap0" up with the gateway's addresses, and the
/// networks of the outside peers routed to this host. Returns the tap's descriptor for QEMU. Errors: no
/// /dev/net/tun, no `ip`.
Result<FileDescriptor> make_network();
/// The same, after make_network: "tap1" up, with this host's addresses in the private network.
Result<FileDescriptor> make_private_network();

/// The addresses of every world (RFC 5737, RFC 3849): the appliance's own network and those of its peers.
inline constexpr const char* kGateway = "203.0.113.1";
inline constexpr const char* kGateway6 = "2001:db8:113::1";
inline constexpr const char* kAppliance = "203.0.113.10";
inline constexpr const char* kAppliance6 = "2001:db8:113::10";
inline constexpr const char* kGatewayOnLink = "fe80::1";  ///< as routers of clouds have
inline constexpr const char* kApplianceMac = "52:54:00:6d:73:01";
inline constexpr const char* kPeers = "198.51.100.0/24";
inline constexpr const char* kPeers6 = "2001:db8:51::/48";
/// The network between this host and a second card (RFC 1918, RFC 4193).
inline constexpr const char* kPrivateHost = "10.113.0.1";
inline constexpr const char* kPrivateHost6 = "fd00:113::1";
inline constexpr const char* kPrivateAppliance = "10.113.0.10";
inline constexpr const char* kPrivateAppliance6 = "fd00:113::10";
inline constexpr const char* kPrivateMac = "52:54:00:6d:73:02";

}  // namespace mailstead::mailtest
