// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/context.hpp"

#include <string_view>
#include <utility>

#include "crypto/digest.hpp"
#include "delivery/graph.hpp"
#include "delivery/quota.hpp"
#include "delivery/reach.hpp"
#include "render/logins.hpp"
#include "render/mail_maps.hpp"
#include "render/services.hpp"
#include "spec/redirects.hpp"

namespace mailstead::render {
namespace {

std::string absolute(const std::string& path) {
  return "/" + path;
}

const char* algorithm_name(spec::DkimAlgorithm algorithm) {
  return algorithm == spec::DkimAlgorithm::ed25519 ? "ed25519" : "rsa2048";
}

Value domain_value(const spec::Domain& domain) {
  Value::List keys;
  for (const spec::DkimKey& key : domain.dkim)
    keys.emplace_back(Value::Map{{"selector", key.selector},
                                 {"algorithm", algorithm_name(key.algorithm)},
                                 {"file", absolute(dkim_key_path(domain, key))}});
  return Value::Map{{"name", domain.name},
                    {"unicode", domain.unicode},
                    {"has_dkim", !domain.dkim.empty()},
                    {"dkim", std::move(keys)}};
}

/// Dovecot's name of the scheme: its own implementation of Argon2, as crypt(3) knows none; crypt(3) for all
/// others.
const char* password_scheme(std::string_view hash) {
  if (hash.starts_with("$argon2id$")) return "{ARGON2ID}";
  if (hash.starts_with("$argon2i$")) return "{ARGON2I}";
  return "{CRYPT}";
}

Value account_value(const spec::Account& account) {
  Value::List aliases;
  for (const spec::Address& alias : account.aliases) aliases.emplace_back(alias.text());
  return Value::Map{{"address", account.address.text()},
                    {"local", account.address.local},
                    {"domain", account.address.domain},
                    {"aliases", std::move(aliases)},
                    {"password_scheme", password_scheme(account.password_hash)},
                    {"password_hash", account.password_hash},
                    {"send_only", account.send_only},
                    {"send_only_text", account.send_only_text},
                    {"has_quota", account.quota_bytes.has_value()},
                    {"quota_bytes", account.quota_bytes ? Value(*account.quota_bytes) : Value()},
                    {"has_sieve", account.sieve.has_value()}};
}

/// A name as Dovecot looks for it in a passwd-file: it puts a backslash before an apostrophe (str_escape of
/// its lib).
std::string lookup_key(std::string_view name) {
  std::string key;
  for (const char c : name) {
    if (c == '\'') key += '\\';
    key += c;
  }
  return key;
}

Value::List login_values(const spec::Site& site) {
  Value::List list;
  for (const Login& login : other_logins(site))
    list.emplace_back(Value::Map{{"key", lookup_key(login.name)},
                                 {"account", login.account->address.text()},
                                 {"password_scheme", password_scheme(login.account->password_hash)},
                                 {"password_hash", login.account->password_hash}});
  return list;
}

/// Which accounts may use an address as sender: Rspamd's copy of what Postfix has as a map.
Value::List sender_values(const delivery::Graph& graph) {
  Value::List senders;
  for (const auto& [address, node] : graph.nodes)
    if (node.senders)
      senders.emplace_back(
          Value::Map{{"address", address.text()}, {"logins", to_list(sender_logins(*node.senders))}});
  return senders;
}

Value::List forwarded_values(const delivery::Graph& graph) {
  Value::List list;
  for (const spec::Address& address : delivery::forwarded_addresses(graph)) list.emplace_back(address.text());
  return list;
}

Value::List quota_values(const delivery::Graph& graph) {
  Value::List list;
  for (const delivery::QuotaRecipient& recipient : delivery::quota_recipients(graph)) {
    const bool has_quota = recipient.limited && recipient.account->quota_bytes.has_value();
    list.emplace_back(
        Value::Map{{"key", lookup_key(recipient.address.text())},
                   {"account", recipient.account->address.text()},
                   {"has_quota", has_quota},
                   {"quota_bytes", has_quota ? Value(*recipient.account->quota_bytes) : Value()}});
  }
  return list;
}

Value address_value(const std::string& text) {
  const std::size_t slash = text.find('/');
  return Value::Map{{"this", text},
                    {"address", text.substr(0, slash)},
                    {"prefix", slash == std::string::npos ? std::string() : text.substr(slash + 1)},
                    {"ipv6", text.find(':') != std::string::npos}};
}

Value::List address_values(const std::vector<std::string>& texts) {
  Value::List addresses;
  for (const std::string& text : texts) addresses.push_back(address_value(text));
  return addresses;
}

/// What a card is found by; neither for none in particular.
Value card_value(const spec::Card& card) {
  return Value::Map{{"has_mac", !card.mac.empty()},
                    {"mac", card.mac},
                    {"has_name", !card.name.empty()},
                    {"name", card.name}};
}

Value mtu_value(const std::optional<unsigned>& mtu) {
  return mtu ? Value(std::uint64_t{*mtu}) : Value();
}

Value private_value(const spec::PrivateNetwork& network) {
  return Value::Map{{"card", card_value(network.card)},
                    {"dhcp", network.dhcp},
                    {"addresses", address_values(network.addresses)},
                    {"has_mtu", network.mtu.has_value()},
                    {"mtu", mtu_value(network.mtu)}};
}

Value ports_value(const spec::Ports& ports) {
  Value::Map map;
  for (const spec::PortKey& key : spec::kPortKeys) map.emplace(key.name, ports.*key.field);
  return map;
}

/// As DHCP= of systemd.network(5) has it.
const char* dhcp_word(const spec::Network& network) {
  if (network.dhcp4) return network.dhcp6 ? "yes" : "ipv4";
  return network.dhcp6 ? "ipv6" : "no";
}

Value network_value(const spec::Network& network) {
  const bool inner_dhcp = network.private_network && network.private_network->dhcp;
  return Value::Map{{"card", card_value(network.card)},
                    {"first_card", !network.card.named()},
                    {"dhcp4", network.dhcp4},
                    {"dhcp6", network.dhcp6},
                    {"dhcp", dhcp_word(network)},
                    {"any_dhcp4", network.dhcp4 || inner_dhcp},
                    {"any_dhcp6", network.dhcp6 || inner_dhcp},
                    {"addresses", address_values(network.addresses)},
                    {"has_mtu", network.mtu.has_value()},
                    {"mtu", mtu_value(network.mtu)},
                    {"has_private", network.private_network.has_value()},
                    {"private", private_value(network.private_network.value_or(spec::PrivateNetwork{}))},
                    {"has_gateway4", network.gateway4.has_value()},
                    {"gateway4", network.gateway4.value_or("")},
                    {"on_link4", network.on_link4},
                    {"has_gateway6", network.gateway6.has_value()},
                    {"gateway6", network.gateway6.value_or("")},
                    {"on_link6", network.on_link6},
                    {"forwarding", !network.nameservers.empty()},
                    {"nameservers", to_list(network.nameservers)},
                    {"unsigned_zones", to_list(network.unsigned_zones)}};
}

}  // namespace

std::string dkim_key_path(const spec::Domain& domain, const spec::DkimKey& key) {
  // The name of its record: no two keys of a site have one.
  return "etc/rspamd-signing/dkim/" + key.selector + "._domainkey." + domain.name + ".key";
}

std::string dkim_public_key_path(const spec::Domain& domain, const spec::DkimKey& key) {
  return "etc/mailstead/dkim/" + key.selector + "._domainkey." + domain.name + ".pem";
}

std::string sieve_path(const spec::Account& account) {
  return "etc/dovecot/sieve/" + account.address.text() + ".sieve";
}

Value make_site_context(const spec::Site& site) {
  // What Rspamd may be given beyond a message of the largest size: headers that were added on the way.
  constexpr std::uint64_t kHeaders = 1u << 20;
  const delivery::Graph graph = delivery::make_graph(site);
  Value::List domains;
  for (const spec::Domain& domain : site.domains) domains.push_back(domain_value(domain));
  Value::List accounts;
  accounts.reserve(site.accounts.size());
  for (const spec::Account& account : site.accounts) accounts.push_back(account_value(account));
  return Value::Map{
      {"hostname", site.hostname},
      // Of the site and not of the version: an update must find the data of the version before it.
      {"data_partition", crypto::derived_uuid(site.hostname, "data partition")},
      {"time_zone", site.time_zone},
      {"message_size_limit", site.message_size_limit},
      {"recipient_delimiter", site.recipient_delimiter},
      {"has_recipient_delimiter", !site.recipient_delimiter.empty()},
      {"domains", std::move(domains)},
      {"accounts", std::move(accounts)},
      {"rspamd_message_limit", site.message_size_limit + kHeaders},
      {"redirect_limit", static_cast<std::uint64_t>(spec::kMostRedirects)},
      {"virtual_alias_limit", static_cast<std::uint64_t>(expansion_limit(graph))},
      {"logins", login_values(site)},
      {"senders", sender_values(graph)},
      {"forwarded", forwarded_values(graph)},
      {"quota_recipients", quota_values(graph)},
      {"network", network_value(site.network)},
      // sshd is there for either; who may log in is in their own files.
      {"ssh", Value::Map{{"enabled", site.ssh.enabled || site.updates.ssh},
                         {"authorized_keys",
                          site.ssh.enabled ? to_list(site.ssh.authorized_keys) : Value(Value::List())}}},
      {"updates", Value::Map{{"ssh", site.updates.ssh}}},
      {"ports", ports_value(site.ports)},
      {"tls",
       Value::Map{{"certificate", absolute(kCertificatePath)}, {"private_key", absolute(kPrivateKeyPath)}}},
  };
}

Result<Value> make_context(const spec::Site& site, const std::vector<overlay::Overlay>& overlays) {
  TRY(const auto services, site_services(site, overlays));
  Value::Map context = *make_site_context(site).map();
  context.merge(services_values(services));
  return Value(std::move(context));
}

}  // namespace mailstead::render
