// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/graph.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace mailstead::delivery {
namespace {

using spec::Address;

class Maker {
 public:
  explicit Maker(const spec::Site& site) : site_(site) {}

  Graph make() {
    for (const spec::Domain& domain : site_.domains) graph_.mail_domains.insert(domain.name);
    for (const spec::Account& account : site_.accounts) add_account(account);
    for (const auto& [address, members] : site_.aliases) add_shared(address, members);
    for (const auto& [address, targets] : site_.forwards) add_forward(address, targets);
    add_catch_alls();
    add_abuse();
    add_machine();
    close_catch_alls();
    return std::move(graph_);
  }

 private:
  Node& node(const Address& address) { return graph_.nodes[address]; }

  void add_account(const spec::Account& account) {
    Node& own = node(account.address);
    own.account = &account;
    own.senders = Addresses{account.address};
    for (const Address& alias : account.aliases) {
      node(alias).senders = Addresses{account.address};
      node(alias).targets.insert(account.address);
    }
  }

  void add_shared(const Address& address, const std::vector<Address>& members) {
    Node& shared = node(address);
    shared.targets.insert(members.begin(), members.end());
    shared.senders = shared.targets;
  }

  /// Of an account that receives mail, which keeps a copy, or of an address that has no other meaning.
  void add_forward(const Address& address, const std::vector<Address>& targets) {
    Node& from = node(address);
    if (from.account != nullptr) from.targets.insert(address);
    from.targets.insert(targets.begin(), targets.end());
  }

  /// In virtual(5) the rest of a domain also matches addresses that exist as mailboxes, so each of these gets
  /// a target of its own.
  void add_catch_alls() {
    for (const spec::Domain& domain : site_.domains) {
      if (!domain.catch_all) continue;
      Node& rest = node(rest_of(domain.name));
      rest.targets.insert(*domain.catch_all);
      rest.senders = Addresses{*domain.catch_all};
    }
    for (auto& [address, known] : graph_.nodes)
      if (known.receives() && graph_.find(rest_of(address.domain)) != nullptr) known.targets.insert(address);
  }

  /// Complaints (RFC 2142 section 4) find the postmaster where nobody else is named for them.
  void add_abuse() {
    for (const spec::Domain& domain : site_.domains)
      if (!domain.catch_all) send_to_postmaster({"abuse", domain.name}, {"postmaster", domain.name});
  }

  /// Mail to the machine itself ("<postmaster>" without a domain as in RFC 5321 section 4.5.1, mail of its
  /// services) goes to the postmaster of the domain that the host name is in, or else of the first one.
  void add_machine() {
    if (site_.domains.empty()) return;
    if (!graph_.mail_domains.contains(site_.hostname)) graph_.machine = site_.hostname;
    const auto above = std::find_if(
        site_.domains.begin(), site_.domains.end(),
        [this](const spec::Domain& domain) { return ("." + site_.hostname).ends_with("." + domain.name); });
    const Address postmaster{"postmaster",
                             (above == site_.domains.end() ? site_.domains.front() : *above).name};
    for (const char* local : {"postmaster", "root", "abuse", "mailer-daemon"})
      if (const Address address{local, site_.hostname}; address != postmaster)
        send_to_postmaster(address, postmaster);
  }

  /// Unless somebody is named for the address. Who gets the mail may answer it.
  void send_to_postmaster(const Address& address, const Address& postmaster) {
    if (graph_.find(address) != nullptr) return;
    std::optional<Addresses> senders = senders_of(postmaster);
    Node& added = node(address);
    added.targets.insert(postmaster);
    added.senders = std::move(senders);
    added.implied = true;
  }

  std::optional<Addresses> senders_of(const Address& address) const {
    for (const Address& name : {address, rest_of(address.domain)})
      if (const Node* found = graph_.find(name); found != nullptr && found->senders) return found->senders;
    return std::nullopt;
  }

  /// Who gets the mail of a whole domain writes as what is nobody else's there: forwards are somebody else's,
  /// though no account of this site may write as them.
  void close_catch_alls() {
    for (auto& [address, known] : graph_.nodes) {
      if (known.senders) continue;
      const Node* rest = graph_.find(rest_of(address.domain));
      if (rest != nullptr && rest->senders) known.senders.emplace();
    }
  }

  const spec::Site& site_;
  Graph graph_;
};

}  // namespace

bool ByText::operator()(const Address& a, const Address& b) const {
  const std::size_t common = std::min(a.local.size(), b.local.size());
  if (const int order = a.local.compare(0, common, b.local, 0, common); order != 0) return order < 0;
  if (a.local.size() == b.local.size()) return a.domain < b.domain;
  // The text of the shorter one goes on with '@', which is in no local part.
  return a.local.size() < b.local.size() ? '@' < b.local[common] : a.local[common] < '@';
}

Address rest_of(std::string domain) {
  return {"", std::move(domain)};
}

const Node* Graph::find(const Address& address) const {
  const auto at = nodes.find(address);
  return at == nodes.end() ? nullptr : &at->second;
}

Graph make_graph(const spec::Site& site) {
  return Maker(site).make();
}

}  // namespace mailstead::delivery
