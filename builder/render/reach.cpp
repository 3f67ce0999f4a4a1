// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/reach.hpp"

#include <algorithm>
#include <string_view>

namespace mailstead::render {
namespace {

/// Calls `use` for each of the targets of an entry, which commas separate.
template <typename Use>
void for_each_target(std::string_view targets, Use use) {
  for (std::size_t begin = 0; begin <= targets.size();) {
    const std::size_t end = std::min(targets.find(',', begin), targets.size());
    use(std::string(targets.substr(begin, end - begin)));
    begin = end + 1;
  }
}

void follow(const MailMaps& maps, const std::string& address, Reach& found, std::set<std::string>& seen) {
  if (!seen.insert(address).second) return;
  const bool delivered = maps.virtual_mailbox_maps.contains(address);
  if (const auto entry = maps.virtual_alias_maps.find(address); entry != maps.virtual_alias_maps.end()) {
    for_each_target(entry->second, [&](const std::string& target) {
      if (target == address && delivered) found.mailboxes.insert(address);
      follow(maps, target, found, seen);
    });
    return;
  }
  const std::string domain = address.substr(address.find('@') + 1);
  if (delivered)
    found.mailboxes.insert(address);
  else if (!maps.virtual_mailbox_domains.contains(domain) && !maps.virtual_alias_domains.contains(domain))
    found.leaves = true;
  else if (address.front() != '@')
    follow(maps, "@" + domain, found, seen);
}

}  // namespace

Reach reach(const MailMaps& maps, const std::string& address) {
  Reach found;
  std::set<std::string> seen;
  follow(maps, address, found, seen);
  return found;
}

std::vector<std::string> forwarded_addresses(const MailMaps& maps) {
  std::vector<std::string> addresses;
  for (const auto& [address, targets] : maps.virtual_alias_maps)
    if (reach(maps, address).leaves) addresses.push_back(address);
  return addresses;
}

std::size_t expansion_limit(const MailMaps& maps) {
  constexpr std::size_t kPostfixDefault = 1000;
  std::set<std::string> all;
  for (const auto& [address, targets] : maps.virtual_alias_maps)
    for_each_target(targets, [&](std::string target) { all.insert(std::move(target)); });
  return std::max(kPostfixDefault, all.size() + 1);
}

}  // namespace mailstead::render
