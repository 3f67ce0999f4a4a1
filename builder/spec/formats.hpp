// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spec/names.hpp"
#include "spec/site.hpp"

namespace mailstead::spec {

/// As text::parse_size, with what to say of a fault.
Checked<std::uint64_t> parse_size(std::string_view text);

/// A password hash that Dovecot can check on Debian: yescrypt, gost-yescrypt, scrypt, bcrypt, SHA-512 and
/// SHA-256 of crypt(5), or Argon2 (which Dovecot brings itself). A Dovecot scheme in front that stands for
/// the method ("{CRYPT}", "{BLF-CRYPT}", …) is taken off. The message of a fault never holds the text.
Checked<std::string> parse_password_hash(std::string_view text);

/// A line of authorized_keys(5): options, type, base64, comment. Message without the text.
Checked<std::string> parse_authorized_key(std::string_view text);

/// A sieve script, as far as it can be seen without a compiler: not empty, at most 1 MiB, without NUL, and
/// with no more redirects of one message than Dovecot makes. A last newline is added if there is none.
Checked<std::string> parse_sieve(std::string text);

struct IpAddress {
  bool v6 = false;
  std::uint8_t bytes[16] = {};  ///< network order; the first 4 for IPv4
  std::string text;             ///< as RFC 5952 writes it
};

/// A literal IP address that a host can have: not unspecified, multicast, broadcast, or IPv4 within IPv6.
Checked<IpAddress> parse_ip(std::string_view text);

struct InterfaceAddress {
  IpAddress ip;
  unsigned prefix = 0;
  std::string text() const { return ip.text + "/" + std::to_string(prefix); }
  bool holds(const IpAddress& other) const;
};

/// "192.0.2.5/24", "2001:db8::5/64": an address with the length of its network's prefix (RFC 4632, RFC 4291).
Checked<InterfaceAddress> parse_interface_address(std::string_view text);

/// The Ethernet address of a card, "52:54:00:12:34:56" (also with hyphens, or upper case), or its name as the
/// kernel and udev give it.
Checked<Card> parse_card(std::string_view text);

bool is_loopback(const IpAddress& address);
bool is_link_local(const IpAddress& address);

}  // namespace mailstead::spec
