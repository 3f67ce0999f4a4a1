// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::mailtest {

/// A question that any server of this kind answers to any client.
struct UdpProbe {
  std::uint16_t port;
  const char* name;
  std::string_view question;  ///< the bytes of the datagram
};

/// DNS (RFC 1035), NTP (RFC 5905), multicast DNS asked directly (RFC 6762 section 5.5) and LLMNR (RFC 4795):
/// services that a system with a resolver and a clock might offer to others by mistake.
const std::vector<UdpProbe>& udp_probes();

/// Asks all of `probes` at a numeric IPv4 or IPv6 address at once, twice, and returns the names and ports of
/// those that have answered after `patience`, such as "DNS (53)". Errors: not an address, no socket,
/// interrupted.
Result<std::vector<std::string>> answering_udp(const std::string& address,
                                               const std::vector<UdpProbe>& probes,
                                               std::chrono::milliseconds patience);

}  // namespace mailstead::mailtest
