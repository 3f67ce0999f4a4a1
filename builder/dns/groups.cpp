// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/groups.hpp"

#include "dns/names.hpp"

namespace mailstead::dns {

Groups::Groups(const std::vector<Record>& records) {
  for (const auto& record : records)
    if (record.type == "MX") domains_.insert(record.name);
}

std::string Groups::zone_of(const Record& record) const {
  if (record.type == "PTR") return {};
  const std::string_view host = host_part(record.name);
  std::string_view longest;
  for (const auto& domain : domains_)
    if (domain.size() > longest.size() && is_within(host, domain)) longest = domain;
  return std::string(longest.empty() ? host : longest);
}

bool Groups::less(std::string_view a, std::string_view b) const {
  const auto rank = [&](std::string_view zone) { return zone.empty() ? 2 : is_mail_domain(zone) ? 0 : 1; };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  return canonical_less(a, b);
}

}  // namespace mailstead::dns
