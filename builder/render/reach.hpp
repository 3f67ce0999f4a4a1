// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "render/mail_maps.hpp"

namespace mailstead::render {

/// Where mail for an address ends, by the rule of virtual(5): an address that leads to itself stays.
struct Reach {
  std::set<std::string> mailboxes;  ///< accounts of ours
  bool leaves = false;              ///< some of it goes to other servers
};

/// `address` is local@domain, or @domain for all that is not named in the domain.
Reach reach(const MailMaps& maps, const std::string& address);

/// The addresses (or @domain) of virtual_alias_maps whose mail goes to other servers, sorted.
std::vector<std::string> forwarded_addresses(const MailMaps& maps);

/// How many addresses the expansion of one can give at most (virtual_alias_expansion_limit of postconf(5)).
std::size_t expansion_limit(const MailMaps& maps);

}  // namespace mailstead::render
