// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/quota.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace mailstead::render {
namespace {

class Finder {
 public:
  Finder(const spec::Site& site, const MailMaps& maps) : maps_(maps) {
    for (const spec::Account& account : site.accounts) accounts_.emplace(account.address.text(), &account);
  }

  /// The mailboxes that mail for an address ends in, by the rule of virtual(5): an address that leads to
  /// itself stays.
  std::set<std::string> mailboxes(const std::string& address) const {
    std::set<std::string> found;
    std::set<std::string> seen;
    collect(address, found, seen);
    return found;
  }

  const spec::Account* account(const std::string& address) const {
    const auto at = accounts_.find(address);
    return at == accounts_.end() ? nullptr : at->second;
  }

 private:
  void collect(const std::string& address, std::set<std::string>& found, std::set<std::string>& seen) const {
    if (!seen.insert(address).second) return;
    const auto entry = maps_.virtual_alias_maps.find(address);
    const bool delivered = maps_.virtual_mailbox_maps.contains(address);
    if (entry == maps_.virtual_alias_maps.end()) {
      if (delivered)
        found.insert(address);
      else if (address.front() != '@')
        collect(address.substr(address.find('@')), found, seen);
      return;
    }
    for (std::size_t begin = 0; begin <= entry->second.size();) {
      const std::size_t end = std::min(entry->second.find(',', begin), entry->second.size());
      const std::string target = entry->second.substr(begin, end - begin);
      if (target == address && delivered) found.insert(address);
      collect(target, found, seen);
      begin = end + 1;
    }
  }

  const MailMaps& maps_;
  std::map<std::string, const spec::Account*> accounts_;
};

}  // namespace

std::vector<QuotaRecipient> quota_recipients(const spec::Site& site, const MailMaps& maps) {
  const Finder finder(site, maps);
  std::vector<QuotaRecipient> recipients;
  for (const auto& [address, targets] : maps.virtual_alias_maps) {
    if (finder.account(address) != nullptr) continue;
    const auto mailboxes = finder.mailboxes(address);
    if (mailboxes.size() == 1) {
      recipients.push_back({address, finder.account(*mailboxes.begin()), true});
      continue;
    }
    const auto rest = maps.virtual_alias_maps.find(address.substr(address.find('@')));
    if (rest == maps.virtual_alias_maps.end()) continue;
    const auto catch_all = finder.mailboxes(rest->first);
    if (!catch_all.empty()) recipients.push_back({address, finder.account(*catch_all.begin()), false});
  }
  return recipients;
}

}  // namespace mailstead::render
