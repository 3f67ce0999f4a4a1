// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"

namespace mailstead::lock {

struct Login {
  std::string user;
  std::string password;
};

/// A machine of apt_auth.conf(5) with the login that it wants.
struct AuthEntry {
  std::string scheme;  ///< "http"; empty: https
  std::string host;    ///< with its port, if the entry has one
  std::string path;    ///< that addresses begin with, with a slash in front; or empty
  Login login;
};

/// What is expected of a server's certificate, and shown to it: apt-transport-https(1).
struct TlsSettings {
  std::string ca_file;  ///< empty: what the system trusts
  std::string crl_file;
  std::string certificate;
  std::string key;
  bool verify_peer = true;
  bool verify_host = true;
};

/// How APT on this machine reaches servers: proxies, logins and certificates, and nothing that would change
/// what they are asked for or whom to believe.
class Transport {
 public:
  /// As the environment says.
  Transport() = default;
  /// `settings`: apt's configuration, names in lower case ("acquire::http::proxy").
  Transport(std::map<std::string, std::string> settings, std::vector<AuthEntry> logins)
      : settings_(std::move(settings)), logins_(std::move(logins)) {}

  /// The proxy for an address; an empty one: none is to be used. Nothing: as curl(1) reads the environment.
  /// A program that apt's configuration names for that (Proxy-Auto-Detect) is asked each time.
  std::optional<Address> proxy(const Address& address) const;
  /// The login that auth.conf has for an address, which may be that of a proxy.
  std::optional<Login> login(const Address& address) const;
  TlsSettings tls(const Address& address) const;
  /// Of "ForceIPv4" and "ForceIPv6" whether it is set.
  bool forces(std::string_view name) const;
  /// The same for another apt, as lines of apt.conf(5).
  std::string apt_configuration() const;

  /// Where apt has its logins: a file, and a folder of such.
  std::filesystem::path auth_file = "/dev/null";
  std::filesystem::path auth_folder;
  /// Those of them that this user may not read.
  std::vector<std::string> unreadable;

 private:
  std::string setting(const std::string& name) const;
  std::string for_host(const Address& address, const std::string& name) const;
  std::string detected_proxy(const Address& address) const;

  std::map<std::string, std::string> settings_;
  std::vector<AuthEntry> logins_;
};

/// The entries of a file of apt_auth.conf(5).
std::vector<AuthEntry> parse_auth(std::string_view text);

}  // namespace mailstead::lock
