// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <fmt/format.h>

#include <string>

#include "spec/site.hpp"

namespace mailstead::spec {

/// A site as text, a line a fact, with paths relative to its folder: what the golden files in cases/ hold.
inline std::string dump(const Site& site) {
  std::string out;
  const auto line = [&](std::string text) { out += text + "\n"; };
  const auto relative = [&](const std::filesystem::path& path) {
    return path.lexically_relative(site.folder).string();
  };
  const auto join = [](const auto& items, const auto& text) {
    std::string joined;
    for (const auto& item : items) joined += " " + text(item);
    return joined;
  };
  const auto as_is = [](const std::string& text) { return text; };
  const auto address = [](const Address& value) { return value.text(); };
  line(fmt::format("file {}", relative(site.file)));
  line(fmt::format("hostname {}", site.hostname));
  line(fmt::format("profile {}", site.profile));
  line(fmt::format("dhcp {}", site.network.dhcp4 && site.network.dhcp6 ? "true"
                              : site.network.dhcp4                     ? "ipv4"
                              : site.network.dhcp6                     ? "ipv6"
                                                                       : "false"));
  if (site.network.card.named())
    line(fmt::format("card mac '{}' name '{}'", site.network.card.mac, site.network.card.name));
  if (site.network.mtu) line(fmt::format("mtu {}", *site.network.mtu));
  if (const auto& inner = site.network.private_network) {
    line(fmt::format("private card mac '{}' name '{}' dhcp {} mtu {}", inner->card.mac, inner->card.name,
                     inner->dhcp, inner->mtu.value_or(0)));
    line("private addresses" + join(inner->addresses, as_is));
  }
  line("addresses" + join(site.network.addresses, as_is));
  const auto gateway = [](const std::optional<std::string>& text, bool on_link) {
    return text.value_or("-") + (on_link ? " on link" : "");
  };
  line("gateway4 " + gateway(site.network.gateway4, site.network.on_link4));
  line("gateway6 " + gateway(site.network.gateway6, site.network.on_link6));
  line("nameservers" + join(site.network.nameservers, as_is));
  line("unsigned zones" + join(site.network.unsigned_zones, as_is));
  line(fmt::format("tls {} {} {}", site.tls.mode == TlsMode::files ? "files" : "self-signed",
                   relative(site.tls.certificate), relative(site.tls.private_key)));
  line(fmt::format("ssh {}", site.ssh.enabled));
  for (const std::string& key : site.ssh.authorized_keys) line("  key " + key);
  std::string ports = "ports";
  for (const PortKey& key : kPortKeys) ports += fmt::format(" {} {}", key.name, site.ports.*key.field);
  line(ports);
  line(fmt::format("time zone {}", site.time_zone));
  line(fmt::format("message size limit {}", site.message_size_limit));
  line(fmt::format("recipient delimiter '{}'", site.recipient_delimiter));
  for (const Domain& domain : site.domains) {
    const char* policies[] = {"none", "quarantine", "reject"};
    line(fmt::format("domain {} ({})", domain.name, domain.unicode));
    for (const DkimKey& key : domain.dkim) {
      line(fmt::format("  dkim {} {} {}", key.selector,
                       key.algorithm == DkimAlgorithm::rsa2048 ? "rsa2048" : "ed25519",
                       relative(key.private_key)));
    }
    line(fmt::format("  dmarc {} {}", policies[static_cast<int>(domain.dmarc_policy)],
                     domain.dmarc_reports ? domain.dmarc_reports->text() : "-"));
    line(fmt::format("  catch all {}", domain.catch_all ? domain.catch_all->text() : "-"));
  }
  for (const Account& account : site.accounts) {
    line(fmt::format("account {}", account.address.text()));
    line(fmt::format("  hash {}", account.password_hash));
    line("  aliases" + join(account.aliases, address));
    line(fmt::format("  quota {}", account.quota_bytes ? std::to_string(*account.quota_bytes) : "-"));
    line(fmt::format("  send only {} '{}'", account.send_only, account.send_only_text));
    if (account.sieve) line(fmt::format("  sieve ({} bytes)\n{}", account.sieve->size(), *account.sieve));
  }
  for (const auto& [name, targets] : site.aliases)
    line(fmt::format("alias {}:{}", name.text(), join(targets, address)));
  for (const auto& [name, targets] : site.forwards)
    line(fmt::format("forward {}:{}", name.text(), join(targets, address)));
  for (Error warning : site.warnings) {
    warning.place->file = relative(warning.place->file);
    line("warning " + format_error_line(warning));
  }
  return out;
}

}  // namespace mailstead::spec
