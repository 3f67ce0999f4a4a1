// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dns/zone.hpp"

namespace mailstead::dns {

/// Which records belong together in a provider's form. Where zones are cut is not known here, so a group is a
/// mail domain (a name with an MX record) with all below it that is not in a longer one; a name outside of
/// them is a group of its own.
class Groups {
 public:
  explicit Groups(const std::vector<Record>& records);

  /// The name of the record's group; empty for PTR records, which are their provider's.
  std::string zone_of(const Record& record) const;
  bool is_mail_domain(std::string_view zone) const { return domains_.contains(zone); }

  /// Mail domains first, then other names, then PTR records; by name in each.
  bool less(std::string_view a, std::string_view b) const;

 private:
  std::set<std::string, std::less<>> domains_;
};

}  // namespace mailstead::dns
