// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::dns {

/// An IP address without its prefix length, as it is published.
struct HostAddress {
  bool ipv6 = false;
  std::string text;          ///< canonical: inet_ntop(3), RFC 5952
  std::string reverse_name;  ///< under in-addr.arpa (RFC 1035 section 3.5) or ip6.arpa (RFC 3596 section 2.5)
  bool publishable = true;   ///< false for loopback, link-local, multicast and unspecified addresses
  bool inner = false;        ///< true for addresses that the internet does not route (RFC 1918, 6598, 4193)
};

/// "192.0.2.5/24" or "2001:db8::5/64", with or without the prefix length; nothing if it is no address.
std::optional<HostAddress> parse_address(std::string_view text);

/// Whether `name` is `zone` or lies below it. Both lower case, without a final dot.
bool is_within(std::string_view name, std::string_view zone);

/// Names in the canonical order of DNS (RFC 4034 section 6.1): by labels from the right, so a zone's apex
/// comes first.
bool canonical_less(std::string_view a, std::string_view b);

/// The part of a name below which a zone can begin: what follows the last label that starts with an
/// underscore.
std::string_view host_part(std::string_view name);

/// RFC 1035 section 2.3.4: at most 253 octets as text, labels of 1 to 63.
Status check_name(std::string_view name);

}  // namespace mailstead::dns
