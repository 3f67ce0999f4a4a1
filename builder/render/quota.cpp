// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/quota.hpp"

#include <map>

#include "render/reach.hpp"

namespace mailstead::render {

std::vector<QuotaRecipient> quota_recipients(const spec::Site& site, const MailMaps& maps) {
  std::map<std::string, const spec::Account*> accounts;
  for (const spec::Account& account : site.accounts) accounts.emplace(account.address.text(), &account);
  std::vector<QuotaRecipient> recipients;
  for (const auto& [address, targets] : maps.virtual_alias_maps) {
    if (accounts.contains(address)) continue;
    const auto mailboxes = reach(maps, address).mailboxes;
    if (mailboxes.size() == 1) {
      recipients.push_back({address, accounts.at(*mailboxes.begin()), true});
      continue;
    }
    const auto rest = maps.virtual_alias_maps.find(address.substr(address.find('@')));
    if (rest == maps.virtual_alias_maps.end()) continue;
    const auto catch_all = reach(maps, rest->first).mailboxes;
    if (!catch_all.empty()) recipients.push_back({address, accounts.at(*catch_all.begin()), false});
  }
  return recipients;
}

}  // namespace mailstead::render
