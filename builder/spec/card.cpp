// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "spec/formats.hpp"
#include "text/ascii.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::spec {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/// Six pairs of hexadecimal digits with a colon or hyphen between them, in lower case and with colons.
std::string as_mac(std::string text) {
  if (text.size() != 17) return {};
  for (std::size_t i = 0; i < text.size(); ++i) {
    char& c = text[i];
    if (i % 3 == 2 && (c == ':' || c == '-'))
      c = ':';
    else if (c >= 'A' && c <= 'F')
      c = static_cast<char>(c - 'A' + 'a');
    if (i % 3 == 2 ? c != ':' : !is_hex(c)) return {};
  }
  return text;
}

/// As the kernel takes it (dev_valid_name()), without what has a meaning in systemd.network(5).
bool is_name(std::string_view text) {
  constexpr std::size_t kLongest = 15;
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return !text.empty() && text.size() <= kLongest && !digits && text != "." && text != ".." && text != "lo" &&
         std::all_of(text.begin(), text.end(), good);
}

}  // namespace

Checked<Card> parse_card(std::string_view text) {
  Card card;
  card.mac = as_mac(std::string(text));
  if (card.mac.empty()) {
    if (!is_name(text))
      return fault(
          fmt::format("{} is neither the Ethernet address nor the name of a card", yaml::quote(text)),
          "write it as `ip link` shows it: \"52:54:00:12:34:56\", or enp1s0");
    card.name = std::string(text);
    return card;
  }
  // IEEE 802: the lowest bit of the first octet is that of a group.
  const bool group = std::string_view("13579bdf").find(card.mac[1]) != std::string_view::npos;
  if (group || card.mac == "00:00:00:00:00:00")
    return fault(fmt::format("{} is not the Ethernet address of a card", yaml::quote(text)));
  return card;
}

}  // namespace mailstead::spec
