// SPDX-License-Identifier: GPL-3.0-or-later
// Cards, and the network beside the one that leads to the internet.
#include <fmt/format.h>

#include <utility>

#include "spec/network.hpp"

namespace mailstead::spec {

using yaml::Value;

namespace {

/// Two networks are for two cards that differ.
void check_cards(Reading& reading, const std::optional<Field>& card, const Value& inner) {
  const Network& network = reading.site.network;
  if (!card)
    reading.problems.add(inner.error("with a private network, the public one needs its 'card' as well",
                                     "write card: \"52:54:00:12:34:56\" below 'network'"));
  else if (network.card.named() && network.private_network && network.card == network.private_network->card)
    reading.problems.add(
        card->error(fmt::format("{} is the card of the private network, too", network.card.text()),
                    "each network needs a card of its own"));
}

}  // namespace

std::optional<unsigned> read_mtu(Reading& reading, const Field& field) {
  const auto mtu = reading.number(field);
  return mtu ? std::optional(static_cast<unsigned>(*mtu)) : std::nullopt;
}

Card read_card(Reading& reading, const Field& value) {
  const auto text = value.as_string(reading.problems);
  return text ? reading.accept(parse_card(*text), value).value_or(Card{}) : Card{};
}

std::vector<InterfaceAddress> read_private(Reading& reading, const Field& value,
                                           const std::optional<Field>& card_of_public,
                                           const std::vector<InterfaceAddress>& own) {
  PrivateNetwork network;
  Section section(reading, *value.key, value);
  const auto card = section.take(key("network.private.card"));
  const auto dhcp = section.take(key("network.private.dhcp"));
  const auto addresses = section.take(key("network.private.addresses"));
  const auto mtu = section.take(key("network.private.mtu"));
  section.refuse("gateway", "a private network has no gateway",
                 "what leaves goes by the gateway of the public network");
  section.finish();
  if (!value.is_map()) return {};
  if (card) network.card = read_card(reading, *card);
  if (mtu) network.mtu = read_mtu(reading, *mtu);
  network.dhcp = dhcp ? dhcp->as_bool(reading.problems).value_or(false) : !addresses;
  std::vector<InterfaceAddress> inner;
  if (network.dhcp && addresses)
    reading.problems.add(addresses->error("fixed addresses exclude 'dhcp'", "keep one of the two"));
  else if (addresses)
    inner = read_addresses(reading, *addresses, network.addresses, false);
  else if (!network.dhcp && (!dhcp || dhcp->text() == "false"))
    reading.problems.add(
        value.error("without 'dhcp' a private network needs 'addresses'", "write addresses: [10.0.0.5/24]"));
  for (const InterfaceAddress& address : inner)
    for (const InterfaceAddress& other : own)
      if (address.holds(other.ip) || other.holds(address.ip))
        reading.problems.add(addresses->error(
            fmt::format("the private address {} and the public address {} are in one network", address.text(),
                        other.text()),
            "two cards in one network answer for each other: use one of them"));
  reading.site.network.private_network = std::move(network);
  check_cards(reading, card_of_public, value);
  return inner;
}

}  // namespace mailstead::spec
