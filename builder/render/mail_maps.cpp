// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/mail_maps.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace mailstead::render {
namespace {

using spec::Address;

/// No account has this name, as it is without a domain.
constexpr const char* kNobody = "nobody";

/// From a site that `spec` has accepted: shared addresses are lists of accounts that receive mail, forwards
/// and catch-alls begin and end at such accounts, and what only sends has no other name.
class Maker {
 public:
  explicit Maker(const spec::Site& site) : site_(site) {
    for (const spec::Account& account : site.accounts) {
      accounts_.emplace(account.address, &account);
      names_.insert(account.address);
      names_.insert(account.aliases.begin(), account.aliases.end());
    }
  }

  MailMaps make() {
    for (const spec::Domain& domain : site_.domains) maps_.virtual_mailbox_domains[domain.name] = domain.name;
    for (const spec::Account& account : site_.accounts) add_account(account);
    for (const auto& [address, members] : site_.aliases) add_shared(address, members);
    for (const auto& [address, targets] : site_.forwards) add_forward(address, targets);
    for (const spec::Domain& domain : site_.domains) add_catch_all(domain);
    add_abuse();
    add_host_name();
    close_catch_alls();
    for (const auto& [from, to] : targets_)
      maps_.virtual_alias_maps[from] = fmt::format("{}", fmt::join(to, ","));
    return std::move(maps_);
  }

 private:
  void add_account(const spec::Account& account) {
    const std::string address = account.address.text();
    maps_.smtpd_sender_login_maps[address] = address;
    if (account.send_only) {
      maps_.send_only_recipients[address] = "550 5.7.1 " + account.send_only_text;
      return;
    }
    maps_.virtual_mailbox_maps[address] = address;
    for (const Address& alias : account.aliases) {
      maps_.smtpd_sender_login_maps[alias.text()] = address;
      targets_[alias.text()].insert(address);
    }
  }

  void add_shared(const Address& address, const std::vector<Address>& members) {
    std::set<std::string> logins;
    for (const Address& member : members) logins.insert(member.text());
    maps_.smtpd_sender_login_maps[address.text()] = fmt::format("{}", fmt::join(logins, ","));
    targets_[address.text()] = std::move(logins);
  }

  void add_forward(const Address& address, const std::vector<Address>& targets) {
    if (accounts_.contains(address)) targets_[address.text()].insert(address.text());
    for (const Address& target : targets) targets_[address.text()].insert(target.text());
  }

  /// "@domain" in virtual(5) also matches addresses that exist as mailboxes, so each of these gets an entry
  /// of its own.
  void add_catch_all(const spec::Domain& domain) {
    if (!domain.catch_all) return;
    targets_["@" + domain.name].insert(domain.catch_all->text());
    maps_.smtpd_sender_login_maps["@" + domain.name] = domain.catch_all->text();
    for (const auto& [address, receiver] : accounts_)
      if (address.domain == domain.name && !receiver->send_only)
        targets_[address.text()].insert(address.text());
  }

  /// Complaints (RFC 2142 section 4) find the postmaster where nobody else is named for them.
  void add_abuse() {
    for (const spec::Domain& domain : site_.domains) {
      const Address abuse{"abuse", domain.name};
      if (domain.catch_all || names_.contains(abuse) || targets_.contains(abuse.text())) continue;
      send_to_postmaster(abuse, Address{"postmaster", domain.name});
    }
  }

  /// Mail to the machine itself ("<postmaster>" without a domain as in RFC 5321 section 4.5.1, mail of its
  /// services) goes to the postmaster of the domain that the host name is in, or else of the first one.
  void add_host_name() {
    if (site_.domains.empty()) return;
    if (!maps_.virtual_mailbox_domains.contains(site_.hostname))
      maps_.virtual_alias_domains[site_.hostname] = site_.hostname;
    const auto above = std::find_if(
        site_.domains.begin(), site_.domains.end(),
        [this](const spec::Domain& domain) { return ("." + site_.hostname).ends_with("." + domain.name); });
    const Address postmaster{"postmaster",
                             (above == site_.domains.end() ? site_.domains.front() : *above).name};
    for (const char* local : {"postmaster", "root", "abuse", "mailer-daemon"}) {
      const Address address{local, site_.hostname};
      if (accounts_.contains(address) || targets_.contains(address.text()) || address == postmaster) continue;
      send_to_postmaster(address, postmaster);
    }
  }

  /// Who gets the mail may answer it.
  void send_to_postmaster(const Address& address, const Address& postmaster) {
    targets_[address.text()].insert(postmaster.text());
    Entries& owners = maps_.smtpd_sender_login_maps;
    auto found = owners.find(postmaster.text());
    if (found == owners.end()) found = owners.find("@" + postmaster.domain);
    if (found != owners.end()) owners[address.text()] = std::string(found->second);
  }

  /// Who gets the mail of a whole domain writes as what is nobody else's there: forwards are somebody else's,
  /// though no account of this site may write as them.
  void close_catch_alls() {
    for (const auto& [address, targets] : targets_)
      if (maps_.smtpd_sender_login_maps.contains(address.substr(address.find('@'))))
        maps_.smtpd_sender_login_maps.try_emplace(address, kNobody);
  }

  const spec::Site& site_;
  MailMaps maps_;
  std::map<Address, const spec::Account*> accounts_;
  std::set<Address> names_;  ///< of accounts: their addresses and aliases
  std::map<std::string, std::set<std::string>> targets_;
};

}  // namespace

MailMaps make_mail_maps(const spec::Site& site) {
  return Maker(site).make();
}

}  // namespace mailstead::render
