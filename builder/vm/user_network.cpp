// SPDX-License-Identifier: GPL-3.0-or-later
#include "vm/user_network.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <optional>

namespace mailstead::vm {
namespace {

// QEMU takes prefixes of 4 bits and more (net/slirp.c), and needs three addresses that differ.
constexpr int kShortestPrefix = 4;
constexpr int kLongestPrefix = 29;

std::optional<std::uint32_t> to_number(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return {};
  return ntohl(address.s_addr);
}

std::string to_text(std::uint32_t number) {
  return fmt::format("{}.{}.{}.{}", number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255);
}

}  // namespace

Result<UserAddresses> user_addresses(const std::string& guest, const std::string& gateway) {
  const std::size_t slash = std::min(guest.find('/'), guest.size());
  const auto own = to_number(guest.substr(0, slash));
  const auto router = to_number(gateway);
  int prefix = -1;
  if (slash < guest.size()) std::from_chars(guest.data() + slash + 1, guest.data() + guest.size(), prefix);
  if (!own || !router || prefix < 0 || prefix > 32)
    return fail(
        ErrorKind::usage,
        fmt::format("'{}' and '{}' are not an IPv4 address with a prefix and a gateway", guest, gateway));
  const int bits = std::min({prefix, kLongestPrefix, std::countl_zero(*own ^ *router)});
  if (bits < kShortestPrefix)
    return fail(ErrorKind::usage,
                fmt::format("QEMU has no network that holds both {} and the gateway {}", guest, gateway));
  const std::uint32_t network = *own & ~(~std::uint32_t{0} >> bits);
  std::uint32_t nameserver = network + 1;
  while (nameserver == *own || nameserver == *router) ++nameserver;
  return UserAddresses{fmt::format("{}/{}", to_text(network), bits), gateway, to_text(nameserver),
                       to_text(*own)};
}

}  // namespace mailstead::vm
