// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "spec/site.hpp"

namespace mailstead::delivery {

/// The order of the addresses' texts, as files list them: "alice.b@example.org" comes before
/// "alice@example.org".
struct ByText {
  bool operator()(const spec::Address& a, const spec::Address& b) const;
};

using Addresses = std::set<spec::Address, ByText>;

/// What stands for all addresses of a domain that have no node of their own: an address without a local part,
/// whose text is "@example.org" as in virtual(5).
spec::Address rest_of(std::string domain);

/// What becomes of mail to an address, and who may write as it.
struct Node {
  const spec::Account* account = nullptr;  ///< whose own address it is, if one's
  /// Where mail goes instead. The address itself among them: its account keeps a copy. Empty: nowhere else,
  /// so into the account's mailbox if it receives.
  Addresses targets;
  /// The accounts that may write as the address; empty: nobody may. Nothing: not decided here, so that
  /// whoever may write as the rest of the domain may write as it.
  std::optional<Addresses> senders;
  /// The site does not name the address: its mail follows the postmaster's.
  bool implied = false;

  /// The address has a mailbox.
  bool receives() const { return account != nullptr && !account->send_only; }
};

/// Who gets the mail of each address and who may send as it: what Postfix, Dovecot and Rspamd are told in
/// their own words. Only addresses with a rule of their own have a node; others of a mail domain are looked
/// up as its rest_of.
struct Graph {
  std::set<std::string> mail_domains;  ///< of the site
  std::optional<std::string> machine;  ///< the host name, unless it is a mail domain
  std::map<spec::Address, Node, ByText> nodes;

  /// Null: the address has no node.
  const Node* find(const spec::Address& address) const;
  /// Mail to the domain is for this machine.
  bool is_ours(const std::string& domain) const { return mail_domains.contains(domain) || machine == domain; }
};

/// From a site that `spec` has accepted: shared addresses are lists of accounts that receive mail, forwards
/// and catch-alls begin and end at such accounts, and what only sends has no other name. Besides what the
/// site names, complaints (RFC 2142 section 4), mail to the machine and mail of its services go to a
/// postmaster. The accounts of the graph belong to `site`.
Graph make_graph(const spec::Site& site);

}  // namespace mailstead::delivery
