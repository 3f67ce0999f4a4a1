// SPDX-License-Identifier: GPL-3.0-or-later
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "spec/formats.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::spec {
namespace {

using yaml::quote;

/// Whether the bits of two addresses agree up to `prefix`.
bool same_network(const std::uint8_t* a, const std::uint8_t* b, unsigned prefix) {
  const unsigned whole = prefix / 8;
  if (!std::equal(a, a + whole, b)) return false;
  const unsigned rest = prefix % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/// Whether all bits behind `prefix` are `value`.
bool host_bits_are(const IpAddress& address, unsigned prefix, bool value) {
  const unsigned size = address.v6 ? 128 : 32;
  for (unsigned bit = prefix; bit < size; ++bit) {
    if (((address.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) != value) return false;
  }
  return true;
}

}  // namespace

Checked<IpAddress> parse_ip(std::string_view text) {
  IpAddress address;
  const std::string given(text);
  address.v6 = given.find(':') != std::string::npos;
  // inet_pton reads up to a NUL.
  const bool read = given.find('\0') == std::string::npos && given.size() < INET6_ADDRSTRLEN &&
                    ::inet_pton(address.v6 ? AF_INET6 : AF_INET, given.c_str(), address.bytes) == 1;
  if (!read) return fault(fmt::format("{} is not an IP address", quote(text)));
  char buffer[INET6_ADDRSTRLEN];
  if (::inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes, buffer, sizeof buffer) == nullptr) {
    return fault(fmt::format("{} is not an IP address", quote(text)));
  }
  address.text = buffer;
  const std::uint8_t* b = address.bytes;
  const bool zeros = std::all_of(b, b + (address.v6 ? 10 : 4), [](std::uint8_t byte) { return byte == 0; });
  const bool unspecified = address.v6 ? address.text == "::" : b[0] == 0;
  const bool multicast = address.v6 ? b[0] == 0xff : b[0] >= 224;
  const bool mapped = address.v6 && zeros && b[10] == 0xff && b[11] == 0xff;
  if (unspecified || multicast || mapped)
    return fault(fmt::format("{} is not the address of a host", quote(text)));
  return address;
}

bool is_loopback(const IpAddress& address) {
  return address.v6 ? address.text == "::1" : address.bytes[0] == 127;
}

bool is_link_local(const IpAddress& address) {
  return address.v6 ? address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80
                    : address.bytes[0] == 169 && address.bytes[1] == 254;
}

bool InterfaceAddress::holds(const IpAddress& other) const {
  return other.v6 == ip.v6 && same_network(ip.bytes, other.bytes, prefix);
}

Checked<InterfaceAddress> parse_interface_address(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return fault(fmt::format("{} has no prefix length", quote(text)),
                 "write it as 192.0.2.5/24 or 2001:db8::5/64");
  }
  auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return tl::unexpected<Fault>(ip.error());
  InterfaceAddress address{*ip, 0};
  const std::string_view digits = text.substr(slash + 1);
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), address.prefix);
  const unsigned most = ip->v6 ? 128 : 32;
  if (status != std::errc() || end != digits.data() + digits.size() || address.prefix < 1 ||
      address.prefix > most) {
    return fault(fmt::format("{} has no prefix length between 1 and {}", quote(text), most));
  }
  if (is_loopback(*ip)) return fault(fmt::format("{} is a loopback address", quote(text)));
  // /31 has no network and broadcast address (RFC 3021), nor has /127 (RFC 6164).
  if (address.prefix < most - 1 && host_bits_are(*ip, address.prefix, false)) {
    return fault(fmt::format("{} is the address of the network itself", quote(text)));
  }
  if (!ip->v6 && address.prefix < 31 && host_bits_are(*ip, address.prefix, true)) {
    return fault(fmt::format("{} is the broadcast address of its network", quote(text)));
  }
  return address;
}

}  // namespace mailstead::spec
