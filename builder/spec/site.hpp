// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace mailstead::spec {

/// The folder beside the spec for keys that Mailstead makes.
inline constexpr const char* kSecrets = "secrets";

/// A mail address, RFC 5321 section 4.1.2. The local part is lower case ASCII (addresses are compared without
/// case), the domain is lower case in A-label form (RFC 5890).
struct Address {
  std::string local;
  std::string domain;
  std::string text() const { return local + "@" + domain; }
  friend auto operator<=>(const Address&, const Address&) = default;
};

enum class DkimAlgorithm { rsa2048, ed25519 };

/// A DKIM key pair of a domain. `selector` is the full one as published: "s2026-rsa2048" for selector s2026.
struct DkimKey {
  std::string selector;
  DkimAlgorithm algorithm;
  /// Below the folder of the spec: "secrets/dkim/example.org/s2026-rsa2048.pem", PKCS#8 PEM.
  std::filesystem::path private_key;
};

enum class DmarcPolicy { none, quarantine, reject };

struct Domain {
  std::string name;     ///< A-label form, lower case
  std::string unicode;  ///< as people read it (U-label form)
  std::vector<DkimKey> dkim;
  DmarcPolicy dmarc_policy = {};
  std::optional<Address> dmarc_reports;  ///< rua of the DMARC record (RFC 7489 section 6.3)
  std::optional<Address> catch_all;      ///< the account that gets mail for addresses which do not exist
};

struct Account {
  Address address;
  /// crypt(5), "$y$…" when made by `mailstead passwd`; or "$argon2id$…" and "$argon2i$…", which only Dovecot
  /// itself knows (schemes ARGON2ID and ARGON2I). Printable ASCII without colons and spaces.
  std::string password_hash;
  std::vector<Address> aliases;
  std::optional<std::uint64_t> quota_bytes;
  bool send_only = false;
  std::string send_only_text;        ///< what a sender to a send-only account is told
  std::optional<std::string> sieve;  ///< the text of the user's sieve script (RFC 5228)
  std::optional<Place> sieve_place;  ///< where the spec has the script, or names its file
  std::filesystem::path sieve_file;  ///< the file as the spec names it; empty: the script is in the spec
};

/// A network card: by its Ethernet address ("52:54:00:12:34:56"), by its name, or none in particular.
struct Card {
  std::string mac;
  std::string name;
  bool named() const { return !mac.empty() || !name.empty(); }
  std::string text() const { return mac.empty() ? name : mac; }
  friend bool operator==(const Card&, const Card&) = default;
};

/// A network beside the one that leads to the internet: without a way out, names and clock.
struct PrivateNetwork {
  Card card;                           ///< always named
  bool dhcp = false;                   ///< DHCP, DHCPv6 and router advertisements
  std::vector<std::string> addresses;  ///< as Network has them; empty with dhcp
  std::optional<unsigned> mtu;
};

struct Network {
  Card card;           ///< none in particular: the first Ethernet card in the order of the bus
  bool dhcp4 = false;  ///< IPv4 by DHCP
  bool dhcp6 = false;  ///< IPv6 by router advertisements and DHCPv6
  std::vector<std::string>
      addresses;                ///< "192.0.2.5/24", "2001:db8::5/64"; none of a family that is asked for
  std::optional<unsigned> mtu;  ///< bytes; nothing: what the network tells, or that of Ethernet
  std::optional<std::string> gateway4;
  std::optional<std::string> gateway6;
  /// The gateway is on the link though no address' network holds it: all addresses are single ones (/32,
  /// /128), as many clouds give them.
  bool on_link4 = false;
  bool on_link6 = false;
  /// Resolvers to forward to. Empty: the appliance resolves from the root itself.
  std::vector<std::string> nameservers;
  /// Zones below which answers need no DNSSEC signature (an inner network's own names).
  std::vector<std::string> unsigned_zones;
  std::optional<PrivateNetwork> private_network;  ///< then both cards are named
};

enum class TlsMode { self_signed, files };

struct Tls {
  TlsMode mode = {};
  std::filesystem::path certificate;  ///< PEM chain, leaf first; absolute
  std::filesystem::path private_key;  ///< PEM; absolute
  /// Where the spec names the two files; nothing for TlsMode::self_signed.
  std::optional<Place> certificate_place;
  std::optional<Place> private_key_place;
};

struct Ssh {
  bool enabled = false;
  std::vector<std::string> authorized_keys;  ///< for root, in authorized_keys(5) form
};

/// How an image is replaced while the machine runs.
struct Updates {
  bool ssh = false;                   ///< `update --to`: over SSH, with a key for nothing else
  std::filesystem::path private_key;  ///< of OpenSSH; absolute
  std::filesystem::path public_key;   ///< a line of authorized_keys(5) without options; absolute
};

/// Which optional listeners are open; their ports are in the manifests of rootfs-overlays/.
struct Ports {
  bool submissions = false;  ///< RFC 8314
  bool submission = false;   ///< RFC 6409 with STARTTLS
  bool managesieve = false;  ///< RFC 5804
  bool pop3 = false;         ///< RFC 1939, with TLS from the first byte
};

/// The keys of `ports:` and where they go.
struct PortKey {
  const char* name;
  bool Ports::* field;
};
inline constexpr PortKey kPortKeys[] = {{"submissions", &Ports::submissions},
                                        {"submission", &Ports::submission},
                                        {"managesieve", &Ports::managesieve},
                                        {"pop3", &Ports::pop3}};

/// A site as the spec describes it, after validation: every reference is resolved, every address is in
/// canonical form, nothing needs to be checked again. The defaults of keys are in their records
/// (spec/keys.hpp).
struct Site {
  std::filesystem::path folder;  ///< where the spec lies, absolute
  std::filesystem::path file;    ///< the spec, absolute
  std::string hostname;          ///< fully qualified, A-label form
  std::string profile;           ///< "cloud-amd64"
  Network network;
  Tls tls;
  Ssh ssh;
  Updates updates;
  Ports ports;
  std::string time_zone;                 ///< "Europe/Berlin"
  std::uint64_t message_size_limit = 0;  ///< bytes
  std::string recipient_delimiter;       ///< one character, or none
  std::vector<Domain> domains;           ///< sorted by name
  std::vector<Account> accounts;         ///< sorted by address
  /// Shared addresses: each of these accounts gets a copy and may send as the address.
  std::map<Address, std::vector<Address>> aliases;
  /// Mail passed on to other servers; the target may not send as the address. A forward from an account's own
  /// address keeps a local copy.
  std::map<Address, std::vector<Address>> forwards;
  /// SHA-256 of what was read of the files with password hashes and sieve scripts, by their names in the
  /// spec.
  std::map<std::string, std::string> files;
  /// What is allowed but likely to be regretted, each at its place in the spec.
  std::vector<Error> warnings;
};

}  // namespace mailstead::spec
