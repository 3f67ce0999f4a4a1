// SPDX-License-Identifier: GPL-3.0-or-later
// Every key of the spec, once: a record here is what the parser reads it by, what errors say is allowed, and
// what docs/spec.md, docs/mailstead.schema.json and `mailstead explain` are made from. To add a key, add its
// record and read it with `section.take(key("its.path"))`; a path without a record does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/architecture.hpp"

namespace mailstead::spec {

/// What a value is; reference/types.cpp says it in words.
enum class Type {
  section,  ///< a map with keys of its own; nothing is as good as an empty one
  names,    ///< a map whose keys are names; Key::path goes on with "*"
  integer,
  size,
  boolean,
  choice,           ///< one of Key::choices
  boolean_or_text,  ///< true, false, or a sentence
  text,
  host_name,
  zone,
  mail_address,
  ip_address,
  ip_with_prefix,
  card,
  profile,
  time_zone,
  selector,
  password_hash,
  public_key,
  sieve,
  file,
};

enum class Many {
  one,
  list,    ///< a list; one value is a list of one
  filled,  ///< the same, but not an empty list
};

struct Key {
  std::string_view path;  ///< "domains.*.dkim.selector"; "*" is a name that the user chooses
  Type type;
  Many many = Many::one;
  bool required = false;
  /// The value must not appear in messages.
  bool secret = false;
  /// What is read if the key is missing, as it would be written.
  std::string_view fallback = {};
  /// In words, what holds without the key where that is not one value.
  std::string_view otherwise = {};
  /// Bounds of a number, of a size in bytes, of a text in characters, of a file in bytes, of the entries of
  /// names. No bounds if `most` is 0.
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::string_view bounds_note = {};  ///< why these bounds
  std::span<const std::string_view> choices = {};
  /// One sentence on what the key does.
  std::string_view says;
  /// A value, as it would be written in one line; "…" stands for the rest of a hash or of a public key.
  std::string_view example;
  /// What the example needs in the same section, one entry a line.
  std::string_view beside = {};
  /// For a path that ends in "*": a name, and what names are.
  std::string_view name = {};
  Type name_type = Type::text;
};

constexpr std::uint64_t kKi = 1u << 10;
constexpr std::uint64_t kMi = 1u << 20;
constexpr std::uint64_t kTi = 1ull << 40;

// In the order of the enums in site.hpp where there is one.
inline constexpr std::string_view kDhcpChoices[] = {"true", "false", "ipv4", "ipv6"};
inline constexpr std::string_view kTlsModes[] = {"self-signed", "files"};
inline constexpr std::string_view kDelimiters[] = {"+", "-", "_", "=", ""};
inline constexpr std::string_view kDkimAlgorithms[] = {"rsa2048", "ed25519"};
inline constexpr std::string_view kDmarcPolicies[] = {"none", "quarantine", "reject"};

constexpr std::uint64_t kLeastMtu =
    1280;  // RFC 8200 section 5; networkd raises a smaller one, as IPv6 is never off
constexpr std::uint64_t kMostMtu = 9000;
constexpr std::string_view kMtuNote = "IPv6 requires 1280; Ethernet has 1500, many cloud networks 1450";

// A section comes before its keys; docs and errors keep this order.
inline constexpr auto kKeys = std::to_array<Key>({
    {.path = "mailstead",
     .type = Type::integer,
     .required = true,
     .least = 1,
     .most = 1,
     .says = "The version of this format.",
     .example = "1"},
    {.path = "hostname",
     .type = Type::host_name,
     .required = true,
     .says = "The full name of the machine. Other servers and mail programs connect to this name.",
     .example = "mail.example.org"},
    {.path = "profile",
     .type = Type::profile,
     .fallback = platform::kDefaultProfile,
     .least = 1,
     .most = 64,
     .says = "The kind of machine: a file of profiles/ without its .yaml.",
     .example = platform::kDefaultProfile},
    {.path = "network",
     .type = Type::section,
     .says = "How the machine is connected to the internet.",
     .example = "{addresses: [192.0.2.5/24], gateway: 192.0.2.1}"},
    {.path = "network.card",
     .type = Type::card,
     .otherwise = "the first Ethernet card in the order of the bus",
     .says = "The network card that leads to the internet.",
     .example = "\"52:54:00:12:34:56\""},
    {.path = "network.dhcp",
     .type = Type::choice,
     .otherwise = "true without 'addresses', false with them",
     .choices = kDhcpChoices,
     .says = "Whether the network assigns the addresses: IPv4 by DHCP, IPv6 by router advertisements and "
             "DHCPv6; ipv4 or ipv6 asks for one of the two.",
     .example = "true"},
    {.path = "network.addresses",
     .type = Type::ip_with_prefix,
     .many = Many::filled,
     .says = "Fixed addresses of the machine; they need a 'gateway'.",
     .example = "[192.0.2.5/24, \"2001:db8::5/64\"]",
     .beside = "gateway: [192.0.2.1, \"fe80::1\"]"},
    {.path = "network.gateway",
     .type = Type::ip_address,
     .many = Many::filled,
     .says = "The routers to the internet, at most one each for IPv4 and IPv6.",
     .example = "192.0.2.1",
     .beside = "addresses: [192.0.2.5/24]"},
    {.path = "network.nameservers",
     .type = Type::ip_address,
     .many = Many::list,
     .otherwise = "the machine resolves names from the root itself",
     .says = "Name servers that the machine's resolver forwards to.",
     .example = "[9.9.9.9, \"2620:fe::fe\"]"},
    {.path = "network.unsigned_zones",
     .type = Type::zone,
     .many = Many::list,
     .says = "Domains that only your own name servers know; answers in them need no DNSSEC signature.",
     .example = "[lan, intern.example]"},
    {.path = "network.mtu",
     .type = Type::integer,
     .otherwise = "what the network announces, or 1500",
     .least = kLeastMtu,
     .most = kMostMtu,
     .bounds_note = kMtuNote,
     .says = "The size in bytes of the largest packet that the card sends.",
     .example = "1450"},
    {.path = "network.private",
     .type = Type::section,
     .says = "A second network that does not lead to the internet, on a card of its own.",
     .example = "{card: \"52:54:00:65:43:21\", addresses: [10.0.0.5/24]}",
     .beside = "card: \"52:54:00:12:34:56\""},
    {.path = "network.private.card",
     .type = Type::card,
     .required = true,
     .says = "The network card that leads to the private network.",
     .example = "\"52:54:00:65:43:21\""},
    {.path = "network.private.dhcp",
     .type = Type::boolean,
     .otherwise = "true without 'addresses', false with them",
     .says = "Whether the private network assigns addresses.",
     .example = "true",
     .beside = "card: \"52:54:00:65:43:21\""},
    {.path = "network.private.addresses",
     .type = Type::ip_with_prefix,
     .many = Many::filled,
     .says = "Fixed addresses in the private network.",
     .example = "[10.0.0.5/24]",
     .beside = "card: \"52:54:00:65:43:21\""},
    {.path = "network.private.mtu",
     .type = Type::integer,
     .otherwise = "what the network announces, or 1500",
     .least = kLeastMtu,
     .most = kMostMtu,
     .bounds_note = kMtuNote,
     .says = "The size in bytes of the largest packet that this card sends.",
     .example = "1450",
     .beside = "card: \"52:54:00:65:43:21\""},
    {.path = "tls",
     .type = Type::section,
     .says = "The certificate that the server shows.",
     .example = "{mode: files, certificate: tls/fullchain.pem, key: tls/privkey.pem}"},
    {.path = "tls.mode",
     .type = Type::choice,
     .fallback = "self-signed",
     .choices = kTlsModes,
     .says = "Where the certificate comes from: self-signed is made by `mailstead keys`, and mail programs "
             "warn of it; files are your own.",
     .example = "self-signed"},
    {.path = "tls.certificate",
     .type = Type::file,
     .most = 1 * kMi,
     .says = "The certificate with its chain in PEM, the server's first; required by 'mode: files'.",
     .example = "tls/fullchain.pem",
     .beside = "mode: files\nkey: tls/privkey.pem"},
    {.path = "tls.key",
     .type = Type::file,
     .most = 1 * kMi,
     .says = "The private key of the certificate in PEM, without a password; required by 'mode: files'.",
     .example = "tls/privkey.pem",
     .beside = "mode: files\ncertificate: tls/fullchain.pem"},
    {.path = "recipient_delimiter",
     .type = Type::choice,
     .fallback = "\"+\"",
     .choices = kDelimiters,
     .says = "The character after which a detail follows in an address: mail for alice+shop@ goes to "
             "alice@; \"\" turns this off.",
     .example = "\"-\""},
    {.path = "domains",
     .type = Type::names,
     .required = true,
     .least = 1,
     .most = 10'000,
     .bounds_note = "one machine does not serve more",
     .says = "The mail domains of the site; internationalised names may be written as people read them.",
     .example = "{example.org: {}}"},
    {.path = "domains.*",
     .type = Type::section,
     .says = "One mail domain; it needs a postmaster address.",
     .example = "{dmarc: {policy: reject}}",
     .name = "example.org",
     .name_type = Type::zone},
    {.path = "domains.*.dkim",
     .type = Type::section,
     .many = Many::filled,
     .says = "The keys that sign the domain's outgoing mail; a list of such maps gives several selectors, as "
             "while keys are exchanged.",
     .example = "{selector: s2026, algorithms: [rsa2048, ed25519]}"},
    {.path = "domains.*.dkim.selector",
     .type = Type::selector,
     .fallback = "s1",
     .says = "The name of the keys in DNS; the algorithm is appended to it.",
     .example = "s2026"},
    {.path = "domains.*.dkim.algorithms",
     .type = Type::choice,
     .many = Many::filled,
     .fallback = "[rsa2048, ed25519]",
     .choices = kDkimAlgorithms,
     .says = "The algorithms to sign with, each with a key of its own.",
     .example = "[rsa2048]"},
    {.path = "domains.*.dmarc",
     .type = Type::section,
     .says = "What the domain asks of servers that get mail in its name.",
     .example = "{policy: reject, reports: alice@example.org}"},
    {.path = "domains.*.dmarc.policy",
     .type = Type::choice,
     .fallback = "quarantine",
     .choices = kDmarcPolicies,
     .says = "What other servers do with mail in the domain's name that is not proven to come from here.",
     .example = "reject"},
    {.path = "domains.*.dmarc.reports",
     .type = Type::mail_address,
     .otherwise = "no reports are asked for",
     .says = "The address that other servers send their reports on the domain's mail to.",
     .example = "alice@example.org"},
    {.path = "domains.*.catch_all",
     .type = Type::mail_address,
     .otherwise = "mail for addresses that do not exist is refused",
     .says = "The account that gets mail for addresses of the domain that do not exist.",
     .example = "alice@example.org"},
    {.path = "accounts",
     .type = Type::names,
     .most = 50'000,
     .bounds_note = "one machine does not serve more",
     .says = "The mailboxes, by address; the address is also the login.",
     .example = "{alice@example.org: {password_hash: \"$y$…\"}}"},
    {.path = "accounts.*",
     .type = Type::section,
     .says = "One mailbox; it needs 'password_hash' or 'password_hash_file'.",
     .example = "{password_hash: \"$y$…\"}",
     .name = "alice@example.org",
     .name_type = Type::mail_address},
    {.path = "accounts.*.password_hash",
     .type = Type::password_hash,
     .secret = true,
     .says = "The hash of the account's password, as `mailstead passwd` prints it.",
     .example = "\"$y$…\""},
    {.path = "accounts.*.password_hash_file",
     .type = Type::file,
     .secret = true,
     .most = 4 * kKi,
     .says =
         "A file that holds the hash, instead of 'password_hash'; other users must not be able to read it.",
     .example = "secrets/alice.hash"},
    {.path = "accounts.*.aliases",
     .type = Type::mail_address,
     .many = Many::list,
     .says = "Further addresses of the account, which it may also send as.",
     .example = "[postmaster@example.org, a.smith@example.org]",
     .beside = "password_hash: \"$y$…\""},
    {.path = "accounts.*.quota",
     .type = Type::size,
     .otherwise = "no limit",
     .least = 1 * kMi,
     .most = 1024 * kTi,
     .says = "How much mail the account may hold.",
     .example = "5G",
     .beside = "password_hash: \"$y$…\""},
    {.path = "accounts.*.send_only",
     .type = Type::boolean_or_text,
     .fallback = "false",
     .most = 200,
     .says = "Whether the account only sends, as printers and programs do; a sentence in place of true is "
             "what those who write to it are told.",
     .example = "true",
     .beside = "password_hash: \"$y$…\""},
    {.path = "accounts.*.sieve",
     .type = Type::sieve,
     .says = "A Sieve script that files the account's incoming mail.",
     .example = R"("redirect \"alice@elsewhere.example\";")",
     .beside = "password_hash: \"$y$…\""},
    {.path = "accounts.*.sieve_file",
     .type = Type::file,
     .most = 1 * kMi,
     .says = "A file below the spec's folder that holds the script, instead of 'sieve'.",
     .example = "sieve/alice.sieve",
     .beside = "password_hash: \"$y$…\""},
    {.path = "aliases",
     .type = Type::names,
     .says = "Shared addresses: each account in the list gets a copy and may send as the address.",
     .example = "{team@example.org: [alice@example.org, bob@example.org]}"},
    {.path = "aliases.*",
     .type = Type::mail_address,
     .many = Many::filled,
     .says = "The accounts, or other aliases, that get the mail of this address.",
     .example = "[alice@example.org, bob@example.org]",
     .name = "team@example.org",
     .name_type = Type::mail_address},
    {.path = "forwards",
     .type = Type::names,
     .says =
         "Addresses whose mail is passed on, to other servers too; an account that forwards keeps a copy.",
     .example = "{old@example.org: [new@elsewhere.example]}"},
    {.path = "forwards.*",
     .type = Type::mail_address,
     .many = Many::filled,
     .says = "The addresses that the mail of this one is passed on to.",
     .example = "[new@elsewhere.example]",
     .name = "old@example.org",
     .name_type = Type::mail_address},
    {.path = "message_size_limit",
     .type = Type::size,
     .fallback = "20M",
     .least = 64 * kKi,
     .most = 200 * kMi,
     .bounds_note = "the spam filter holds a whole message in memory",
     .says = "The largest message that is accepted, as it is transferred.",
     .example = "30M"},
    {.path = "ssh",
     .type = Type::section,
     .says = "Logins by SSH for the administrator, as root and with keys only.",
     .example = "{enabled: true, authorized_keys: [\"ssh-ed25519 …\"]}"},
    {.path = "ssh.enabled",
     .type = Type::boolean,
     .fallback = "false",
     .says = "Whether SSH listens on port 22.",
     .example = "true",
     .beside = "authorized_keys: [\"ssh-ed25519 …\"]"},
    {.path = "ssh.authorized_keys",
     .type = Type::public_key,
     .many = Many::list,
     .says = "The public keys that may log in; a key may have options of authorized_keys(5) in front.",
     .example = "[\"ssh-ed25519 …\"]",
     .beside = "enabled: true"},
    {.path = "updates",
     .type = Type::section,
     .says = "How the image is replaced while the machine runs.",
     .example = "{ssh: true}"},
    {.path = "updates.ssh",
     .type = Type::boolean,
     .fallback = "false",
     .says =
         "Whether `mailstead update --to`, `status` and `rollback` work: by SSH on port 22, with a key that "
         "`mailstead keys` makes and that can do nothing else.",
     .example = "true"},
    {.path = "ports",
     .type = Type::section,
     .says = "Services that can be turned on and off; 25 (SMTP) and 993 (IMAP over TLS) are always open.",
     .example = "{submission: false, managesieve: true}"},
    {.path = "ports.submissions",
     .type = Type::boolean,
     .fallback = "true",
     .says = "Port 465, where mail programs send by TLS.",
     .example = "true"},
    {.path = "ports.submission",
     .type = Type::boolean,
     .fallback = "true",
     .says = "Port 587, where mail programs send by STARTTLS.",
     .example = "false"},
    {.path = "ports.managesieve",
     .type = Type::boolean,
     .fallback = "false",
     .says = "Port 4190, where mail programs edit their users' Sieve scripts.",
     .example = "true"},
    {.path = "ports.pop3",
     .type = Type::boolean,
     .fallback = "false",
     .says = "POP3 with TLS on port 995, for programs that know no IMAP.",
     .example = "true"},
    {.path = "time_zone",
     .type = Type::time_zone,
     .fallback = "Etc/UTC",
     .says = "The time zone of the machine, as in its logs.",
     .example = "Europe/Berlin"},
});

/// The record of a path. Without one, the program does not compile.
consteval const Key& key(std::string_view path) {
  for (const Key& record : kKeys)
    if (record.path == path) return record;
  throw "this key has no record in spec/keys.hpp";
}

/// "selector" of "domains.*.dkim.selector".
constexpr std::string_view name_of(const Key& record) {
  const std::size_t dot = record.path.rfind('.');
  return dot == std::string_view::npos ? record.path : record.path.substr(dot + 1);
}

/// "domains.*.dkim" of "domains.*.dkim.selector"; empty for a key at the top.
constexpr std::string_view parent_of(const Key& record) {
  const std::size_t dot = record.path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : record.path.substr(0, dot);
}

/// The keys in the section of that path, in the order of the table; those at the top for "".
std::vector<const Key*> keys_in(std::string_view path);

/// "domains.dkim" for "domains.*.dkim": as it is typed in a shell, where "*" has a meaning.
std::string typed(std::string_view path);

/// A number as the bounds of the key are written: "64K" for a size.
std::string bound_text(const Key& record, std::uint64_t bound);
/// "64K to 200M", or nothing if there are no bounds.
std::string bounds_text(const Key& record);
/// "none, quarantine or reject".
std::string choices_text(const Key& record);

/// The example of a key with all that it needs, from the top of the spec: several lines of YAML.
std::string example_text(const Key& record);

/// The keys that a user may mean by `word`: a path, with names of his own in the place of "*" or without
/// them, or the last names of one ("dkim.selector", "quota"). Empty if there is none.
std::vector<const Key*> find_keys(std::string_view word);

}  // namespace mailstead::spec
