// SPDX-License-Identifier: GPL-3.0-or-later
#include "reference/reference.hpp"

namespace mailstead::reference {

using spec::Type;

std::string_view type_name(Type type, bool plural) {
  switch (type) {
    case Type::section:
      return plural ? "maps" : "map";
    case Type::names:
      return "map of names";
    case Type::integer:
      return plural ? "numbers" : "number";
    case Type::size:
      return plural ? "sizes" : "size";
    case Type::boolean:
      return "true or false";
    case Type::choice:
      return plural ? "words" : "word";
    case Type::boolean_or_text:
      return "true, false or text";
    case Type::text:
      return plural ? "texts" : "text";
    case Type::host_name:
      return plural ? "host names" : "host name";
    case Type::zone:
      return plural ? "domains" : "domain";
    case Type::mail_address:
      return plural ? "mail addresses" : "mail address";
    case Type::ip_address:
      return plural ? "IP addresses" : "IP address";
    case Type::ip_with_prefix:
      return plural ? "IP addresses with prefix length" : "IP address with prefix length";
    case Type::card:
      return plural ? "network cards" : "network card";
    case Type::profile:
      return plural ? "profiles" : "profile";
    case Type::time_zone:
      return plural ? "time zones" : "time zone";
    case Type::selector:
      return plural ? "DKIM selectors" : "DKIM selector";
    case Type::password_hash:
      return plural ? "password hashes" : "password hash";
    case Type::public_key:
      return plural ? "public keys" : "public key";
    case Type::sieve:
      return plural ? "Sieve scripts" : "Sieve script";
    case Type::file:
      return plural ? "files" : "file";
  }
  return {};
}

std::string_view type_note(Type type) {
  switch (type) {
    case Type::section:
    case Type::names:
    case Type::boolean:
    case Type::boolean_or_text:
    case Type::choice:
    case Type::text:
      return {};
    case Type::integer:
      return "decimal digits, without zeros in front";
    case Type::size:
      return "a whole number of bytes, or one with K, M, G or T (powers of 1024), as 20M";
    case Type::host_name:
      return "at least two labels, as mail.example.org; no dot at the end";
    case Type::zone:
      return "one label or more (lan, intern.example)";
    case Type::mail_address:
      return "alice@example.org, in ASCII before the @, without regard to case; one of this site has at most "
             "240 "
             "characters";
    case Type::ip_address:
      return "192.0.2.1 or \"2001:db8::1\" (in quotes, as a colon has a meaning in YAML)";
    case Type::ip_with_prefix:
      return "192.0.2.5/24 or \"2001:db8::5/64\"";
    case Type::card:
      return "its Ethernet address (\"52:54:00:12:34:56\") or its name (enp1s0), as `ip link` shows them";
    case Type::profile:
      return "lower case letters, digits and hyphens";
    case Type::time_zone:
      return "a name of the IANA time zone database, as Europe/Berlin or Etc/UTC";
    case Type::selector:
      return "letters, digits, hyphens and dots";
    case Type::password_hash:
      return "as crypt(5) or Dovecot writes it: yescrypt, gost-yescrypt, scrypt, bcrypt, SHA-512, SHA-256 or "
             "Argon2, "
             "with or without Dovecot's {SCHEME} in front";
    case Type::public_key:
      return "the one line of a file like id_ed25519.pub";
    case Type::sieve:
      return "RFC 5228; several lines begin with `sieve: |`";
    case Type::file:
      return "a path relative to the spec's folder";
  }
  return {};
}

}  // namespace mailstead::reference
