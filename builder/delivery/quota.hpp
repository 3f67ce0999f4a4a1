// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "delivery/graph.hpp"

namespace mailstead::delivery {

/// For a recipient that is no account: the account whose mailbox is looked at before mail is taken.
struct QuotaRecipient {
  spec::Address address;  ///< or rest_of a domain
  const spec::Account* account = nullptr;
  bool limited = false;  ///< false: mail is always taken, `account` only gives the look-up an end
};

/// The recipients whose mail goes to one mailbox of ours, in the order of their texts: aliases, shared
/// addresses with one member, catch-alls. Others (to several mailboxes, or none) are named only where a
/// catch-all would answer for them, and have no limit. The accounts are those of the graph's site.
std::vector<QuotaRecipient> quota_recipients(const Graph& graph);

}  // namespace mailstead::delivery
