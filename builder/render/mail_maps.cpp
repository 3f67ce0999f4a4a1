// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/mail_maps.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "delivery/reach.hpp"

namespace mailstead::render {
namespace {

std::vector<std::string> texts_of(const delivery::Addresses& addresses) {
  std::vector<std::string> texts;
  texts.reserve(addresses.size());
  for (const spec::Address& address : addresses) texts.push_back(address.text());
  return texts;
}

std::string with_commas(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ","));
}

}  // namespace

MailMaps make_mail_maps(const delivery::Graph& graph) {
  MailMaps maps;
  for (const std::string& domain : graph.mail_domains) maps.virtual_mailbox_domains[domain] = domain;
  if (graph.machine) maps.virtual_alias_domains[*graph.machine] = *graph.machine;
  for (const auto& [address, node] : graph.nodes) {
    const std::string name = address.text();
    if (node.receives()) maps.virtual_mailbox_maps[name] = name;
    if (!node.targets.empty()) maps.virtual_alias_maps[name] = with_commas(texts_of(node.targets));
    if (node.senders) maps.smtpd_sender_login_maps[name] = with_commas(sender_logins(*node.senders));
    if (node.account != nullptr && node.account->send_only)
      maps.send_only_recipients[name] = "550 5.7.1 " + node.account->send_only_text;
  }
  return maps;
}

std::vector<std::string> sender_logins(const delivery::Addresses& senders) {
  return senders.empty() ? std::vector<std::string>{"nobody"} : texts_of(senders);
}

std::size_t expansion_limit(const delivery::Graph& graph) {
  constexpr std::size_t kPostfixDefault = 1000;
  return std::max(kPostfixDefault, delivery::count_targets(graph) + 1);
}

}  // namespace mailstead::render
