// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "init/answers.hpp"

namespace mailstead::init {
namespace {

bool is_plain(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("._-@/").find(c) != std::string_view::npos;
}

/// A scalar of YAML 1.2 (section 7.3): as it is if that means the same to every reader, else in double
/// quotes.
std::string scalar(std::string_view text) {
  const bool begins_plain = !text.empty() && is_plain(text.front()) &&
                            std::string_view("-@.").find(text.front()) == std::string_view::npos;
  if (begins_plain && std::ranges::all_of(text, is_plain)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string list(const std::vector<std::string>& items) {
  std::vector<std::string> scalars;
  scalars.reserve(items.size());
  for (const std::string& item : items) scalars.push_back(scalar(item));
  return fmt::format("[{}]", fmt::join(scalars, ", "));
}

std::string head(const Answers& answers) {
  return fmt::format(
      R"(# The mail server {0}. `mailstead check` validates this file and says what the server will be, `mailstead build`
# makes its disk image. To switch on a key that is off, remove the '#' in front of it; `mailstead explain` lists all keys.
mailstead: 1

# The machine's own name: it stands in its certificate and in the MX record of each domain.
hostname: {1}
)",
      answers.hostname, scalar(answers.hostname));
}

std::string network(const Answers& answers) {
  const std::string nameservers =
      R"(  # Name servers to ask. Without them the machine asks the root servers itself, and checks DNSSEC either way.
  #nameservers: [192.0.2.53, "2001:db8::53"]
)";
  if (answers.addresses.empty()) {
    return fmt::format(R"(
# The machine's addresses come from DHCP and router advertisements, or are fixed.
network:
  dhcp: true
{}#network: {{addresses: [192.0.2.5/24, "2001:db8::5/64"], gateway: [192.0.2.1, "2001:db8::1"]}}
)",
                       nameservers);
  }
  return fmt::format(R"(
# The machine's addresses are fixed, or come from DHCP and router advertisements.
network:
  addresses: {}
  gateway: {}
{}#network: {{dhcp: true}}
)",
                     list(answers.addresses), list(answers.gateways), nameservers);
}

std::string domains(const Answers& answers) {
  std::string text = R"(
# The certificate: self-signed, which each mail program asks about once, or files from an authority.
tls: {mode: self-signed}
#tls: {mode: files, certificate: tls/fullchain.pem, key: tls/privkey.pem}

# The domains to receive mail for. Their mail is signed by DKIM; DMARC asks others to quarantine what is not.
domains:
)";
  for (const std::string& domain : answers.domains) {
    text += fmt::format("  {}:\n", scalar(domain));
    if (domain != answers.domains.front()) continue;
    text += fmt::format(R"(    #dkim: {{selector: s2}}   # a new name for new keys
    #dmarc: {{policy: reject, reports: {0}}}
    #catch_all: {1}   # gets what is sent to addresses that do not exist
)",
                        scalar("postmaster@" + domain), scalar(answers.people.front().address));
  }
  return text;
}

/// The postmaster addresses that RFC 5321 section 4.5.1 requires and nobody has as their own.
std::vector<std::string> postmasters(const Answers& answers) {
  std::vector<std::string> names;
  for (const std::string& domain : answers.domains) {
    const std::string name = "postmaster@" + domain;
    if (std::ranges::find(answers.people, name, &Person::address) == answers.people.end())
      names.push_back(name);
  }
  return names;
}

std::string accounts(const Answers& answers) {
  std::string text = R"(
# The mailboxes; the whole address is the login name. `mailstead passwd` makes password hashes, and those of other
# servers are accepted, too.
accounts:
)";
  for (const Person& person : answers.people) {
    text +=
        fmt::format("  {}:\n    password_hash: {}\n", scalar(person.address), scalar(person.password_hash));
    if (&person != &answers.people.front()) continue;
    if (const auto names = postmasters(answers); !names.empty())
      text += fmt::format("    aliases: {}\n", list(names));
    text += "    #quota: 5G\n";
  }
  return text + fmt::format(R"(
# Addresses of several people: each gets a copy and may send as the address.
#aliases: {{{0}: [{1}]}}
# Mail passed on to other servers.
#forwards: {{{2}: [someone@elsewhere.example]}}
)",
                            scalar("everyone@" + answers.domains.front()),
                            scalar(answers.people.front().address),
                            scalar("old-name@" + answers.domains.front()));
}

std::string administration(const Answers& answers) {
  std::string text = "\n# Who may log in by SSH as root, with a key only.\n";
  if (answers.ssh_keys.empty()) {
    text += "#ssh: {enabled: true, authorized_keys: [\"ssh-ed25519 AAAA… you@example.org\"]}\n";
  } else {
    text += "ssh:\n  enabled: true\n  authorized_keys:\n";
    for (const std::string& key : answers.ssh_keys) text += fmt::format("    - {}\n", scalar(key));
  }
  text +=
      "\n# `mailstead update` brings new images to the running machine by SSH, with a key for nothing else.\n"
      "updates: {ssh: true}\n";
  const std::string zone =
      answers.time_zone.empty() ? "#time_zone: Europe/Berlin" : "time_zone: " + scalar(answers.time_zone);
  return text + fmt::format(R"(
# Ports beside 25 and 993: sending with TLS from the start or by STARTTLS, and filters that users change themselves.
#ports: {{submissions: true, submission: true, managesieve: true}}

# The time zone of the logs, and the largest message.
{}
#message_size_limit: 30M
)",
                            zone);
}

}  // namespace

std::string spec_text(const Answers& answers) {
  return head(answers) + network(answers) + domains(answers) + accounts(answers) + administration(answers);
}

}  // namespace mailstead::init
