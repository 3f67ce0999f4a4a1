// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/names.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace mailstead::dns {
namespace {

HostAddress from_ipv4(const std::array<std::uint8_t, 4>& octets) {
  const auto [a, b, c, d] = octets;
  HostAddress address;
  address.text = fmt::format("{}.{}.{}.{}", a, b, c, d);
  address.reverse_name = fmt::format("{}.{}.{}.{}.in-addr.arpa", d, c, b, a);
  address.publishable = a != 0 && a != 127 && a < 224 && !(a == 169 && b == 254);
  address.inner = a == 10 || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) ||
                  (a == 100 && b >= 64 && b < 128);
  return address;
}

HostAddress from_ipv6(const std::array<std::uint8_t, 16>& octets) {
  HostAddress address;
  address.ipv6 = true;
  char text[INET6_ADDRSTRLEN];
  address.text = inet_ntop(AF_INET6, octets.data(), text, sizeof text);
  for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet)
    address.reverse_name += fmt::format("{:x}.{:x}.", *octet & 15, *octet >> 4);
  address.reverse_name += "ip6.arpa";
  const bool loopback_or_any =
      std::all_of(octets.begin(), octets.end() - 1, [](std::uint8_t octet) { return octet == 0; }) &&
      octets[15] <= 1;
  address.publishable =
      !loopback_or_any && octets[0] != 0xff && !(octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80);
  address.inner = (octets[0] & 0xfe) == 0xfc;
  return address;
}

/// The last label of what is left of a name; shortens the rest.
std::string_view take_last_label(std::string_view& rest) {
  const auto dot = rest.rfind('.');
  const auto label = dot == std::string_view::npos ? rest : rest.substr(dot + 1);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(0, dot);
  return label;
}

}  // namespace

std::optional<HostAddress> parse_address(std::string_view text) {
  const std::string bare(text.substr(0, text.find('/')));
  std::array<std::uint8_t, 4> ipv4{};
  if (inet_pton(AF_INET, bare.c_str(), ipv4.data()) == 1) return from_ipv4(ipv4);
  std::array<std::uint8_t, 16> ipv6{};
  if (inet_pton(AF_INET6, bare.c_str(), ipv6.data()) == 1) return from_ipv6(ipv6);
  return std::nullopt;
}

bool is_within(std::string_view name, std::string_view zone) {
  return name == zone ||
         (name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.');
}

bool canonical_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const auto label_a = take_last_label(a);
    const auto label_b = take_last_label(b);
    if (label_a != label_b) return label_a < label_b;
  }
  return a.empty() && !b.empty();
}

std::string_view host_part(std::string_view name) {
  std::string_view rest = name;
  while (!rest.empty()) {
    const auto label = take_last_label(rest);
    if (label.starts_with('_'))
      return name.substr(std::min(name.size(), rest.size() + label.size() + (rest.empty() ? 1 : 2)));
  }
  return name;
}

Status check_name(std::string_view name) {
  std::size_t length = 0;
  for (const char c : name) {
    length = c == '.' ? 0 : length + 1;
    if (length > 63)
      return fail(ErrorKind::usage, fmt::format("the name {} has a label of more than 63 octets", name),
                  "choose a shorter selector or domain");
  }
  if (name.size() > 253)
    return fail(ErrorKind::usage, fmt::format("the name {} has more than 253 octets", name),
                "choose a shorter selector or domain");
  return ok();
}

}  // namespace mailstead::dns
