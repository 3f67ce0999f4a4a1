// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock/transport.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/run.hpp"
#include "lock/text.hpp"

namespace mailstead::lock {
namespace {

/// What of Acquire is about reaching servers. All else would change what is asked of them, or how it is
/// verified.
constexpr std::array<std::string_view, 5> kTaken = {"acquire::http::", "acquire::https::", "acquire::retries",
                                                    "acquire::forceipv4", "acquire::forceipv6"};

std::string scheme_of(const Address& address) {
  return lower(std::string_view(address.exact()).substr(0, address.exact().find("://")));
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// What follows the scheme and a user of an address: "host:80/path".
std::string_view behind_user(std::string_view address) {
  if (const auto scheme = address.find("://"); scheme != std::string_view::npos)
    address.remove_prefix(scheme + 3);
  const auto at = address.substr(0, address.find('/')).rfind('@');
  return at == std::string_view::npos ? address : address.substr(at + 1);
}

}  // namespace

std::string Transport::setting(const std::string& name) const {
  const auto found = settings_.find(name);
  return found == settings_.end() ? "" : found->second;
}

/// For https the settings of http are the defaults; those of a host come before those of all.
std::string Transport::for_host(const Address& address, const std::string& name) const {
  const std::string host = lower(address.host());
  std::vector<std::string> schemes{"acquire::http::"};
  if (scheme_of(address) == "https") schemes.insert(schemes.begin(), "acquire::https::");
  for (const std::string& scheme : schemes) {
    for (const std::string& full : {scheme + name + "::" + host, scheme + host + "::" + name}) {
      if (std::string value = setting(full); !value.empty()) return value;
    }
  }
  for (const std::string& scheme : schemes) {
    if (std::string value = setting(scheme + name); !value.empty()) return value;
  }
  return {};
}

std::string Transport::detected_proxy(const Address& address) const {
  std::string program = for_host(address, "proxy-auto-detect");
  if (program.empty()) program = for_host(address, "proxyautodetect");
  if (program.empty()) return {};
  Command command;
  // A command line may be read by others.
  command.argv = {program, scheme_of(address) + "://" + address.host() + "/"};
  command.timeout = std::chrono::seconds(30);
  const auto output = run(command);
  return output ? std::string(trim(output->out.substr(0, output->out.find('\n')))) : "";
}

std::optional<Address> Transport::proxy(const Address& address) const {
  const std::string own = setting("acquire::" + scheme_of(address) + "::proxy::" + lower(address.host()));
  std::string proxy = own.empty() ? detected_proxy(address) : own;
  if (proxy.empty()) proxy = for_host(address, "proxy");
  if (proxy.empty() && scheme_of(address) == "https" && environment("https_proxy").empty())
    proxy = environment("http_proxy");
  if (proxy.empty()) return std::nullopt;
  return proxy == "DIRECT" ? Address() : Address(proxy);
}

std::optional<Login> Transport::login(const Address& address) const {
  const std::string scheme = scheme_of(address);
  const std::string_view place = behind_user(address.exact());
  const std::string_view authority = place.substr(0, place.find('/'));
  const std::string_view path = place.substr(authority.size());
  for (const AuthEntry& entry : logins_) {
    if (scheme != (entry.scheme.empty() ? "https" : entry.scheme)) continue;
    if (entry.host != authority && entry.host != address.host()) continue;
    if (path.starts_with(entry.path)) return entry.login;
  }
  return std::nullopt;
}

TlsSettings Transport::tls(const Address& address) const {
  TlsSettings tls;
  tls.ca_file = for_host(address, "cainfo");
  tls.crl_file = for_host(address, "crlfile");
  tls.certificate = for_host(address, "sslcert");
  tls.key = for_host(address, "sslkey");
  tls.verify_peer = !is_no(for_host(address, "verify-peer"));
  tls.verify_host = !is_no(for_host(address, "verify-host"));
  return tls;
}

bool Transport::forces(std::string_view name) const {
  const std::string value = setting("acquire::" + lower(name));
  return !value.empty() && !is_no(value);
}

std::string Transport::apt_configuration() const {
  std::string text;
  for (const auto& [name, value] : settings_) {
    const bool taken =
        std::any_of(kTaken.begin(), kTaken.end(), [&](auto begin) { return name.starts_with(begin); });
    // apt.conf(5) has no way to write these.
    const bool writable = name.find_first_of(" \t\r\n\"{};[]") == std::string::npos &&
                          value.find_first_of("\"\r\n") == std::string::npos;
    if (taken && writable) text += fmt::format("{} \"{}\";\n", name, value);
  }
  return text;
}

std::vector<AuthEntry> parse_auth(std::string_view text) {
  std::vector<AuthEntry> entries;
  std::vector<std::string_view> words;
  for (const auto line : split_lines(text)) {
    if (trim(line).starts_with('#')) continue;
    for (const auto word : split_words(line)) words.push_back(word);
  }
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string_view key = words[i];
    if (key == "machine") {
      std::string_view machine = words[++i];
      AuthEntry& entry = entries.emplace_back();
      if (const auto scheme = machine.find("://"); scheme != std::string_view::npos) {
        entry.scheme = lower(machine.substr(0, scheme));
        machine.remove_prefix(scheme + 3);
      }
      entry.host = machine.substr(0, machine.find('/'));
      entry.path = machine.substr(entry.host.size());
    } else if (!entries.empty() && key == "login") {
      entries.back().login.user = words[++i];
    } else if (!entries.empty() && key == "password") {
      entries.back().login.password = words[++i];
    }
  }
  return entries;
}

}  // namespace mailstead::lock
