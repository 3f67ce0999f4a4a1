// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "delivery/graph.hpp"

namespace mailstead::delivery {

inline spec::Account account(const std::string& local, const std::string& domain) {
  spec::Account made;
  made.address = {local, domain};
  return made;
}

/// Two domains, of which example.net has a catch-all, and of each kind of address one.
inline spec::Site site() {
  spec::Site made;
  made.hostname = "mail.example.org";
  made.domains.resize(2);
  made.domains[0].name = "example.net";
  made.domains[0].catch_all = spec::Address{"bob", "example.net"};
  made.domains[1].name = "example.org";
  spec::Account alice = account("alice", "example.org");
  alice.aliases = {{"postmaster", "example.org"}};
  spec::Account noreply = account("noreply", "example.org");
  noreply.send_only = true;
  noreply.send_only_text = "Nobody reads this";
  made.accounts = {alice, account("bob", "example.net"), account("carol", "example.net"), noreply};
  made.aliases[{"team", "example.org"}] = {{"alice", "example.org"}, {"bob", "example.net"}};
  made.forwards[{"old", "example.org"}] = {{"x", "elsewhere.example"}};
  made.forwards[{"alice", "example.org"}] = {{"alice", "elsewhere.example"}};
  return made;
}

inline std::string shown(const Addresses& addresses) {
  std::string text;
  for (const spec::Address& address : addresses) text += (text.empty() ? "" : " ") + address.text();
  return text;
}

}  // namespace mailstead::delivery
