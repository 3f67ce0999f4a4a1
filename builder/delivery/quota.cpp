// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/quota.hpp"

#include "delivery/reach.hpp"

namespace mailstead::delivery {

std::vector<QuotaRecipient> quota_recipients(const Graph& graph) {
  std::vector<QuotaRecipient> recipients;
  for (const auto& [address, node] : graph.nodes) {
    if (node.account != nullptr) continue;
    const Addresses mailboxes = reach(graph, address).mailboxes;
    if (mailboxes.size() == 1) {
      recipients.push_back({address, graph.find(*mailboxes.begin())->account, true});
      continue;
    }
    const spec::Address rest = rest_of(address.domain);
    if (graph.find(rest) == nullptr) continue;
    const Addresses catch_all = reach(graph, rest).mailboxes;
    if (!catch_all.empty()) recipients.push_back({address, graph.find(*catch_all.begin())->account, false});
  }
  return recipients;
}

}  // namespace mailstead::delivery
