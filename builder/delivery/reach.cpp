// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/reach.hpp"

#include <vector>

namespace mailstead::delivery {

using spec::Address;

Reach reach(const Graph& graph, const Address& address) {
  Reach found;
  Addresses seen{address};
  // Not by recursion: a chain of forwards may be as long as the file.
  std::vector<Address> open{address};
  const auto go_to = [&](const Address& next) {
    if (seen.insert(next).second) open.push_back(next);
  };
  while (!open.empty()) {
    const Address at = std::move(open.back());
    open.pop_back();
    const Node* node = graph.find(at);
    if (node != nullptr && node->receives() && (node->targets.empty() || node->targets.contains(at)))
      found.mailboxes.insert(at);
    if (node != nullptr && (node->account != nullptr || !node->targets.empty()))
      for (const Address& target : node->targets) go_to(target);
    else if (!graph.is_ours(at.domain))
      found.elsewhere.insert(at);
    else
      go_to(rest_of(at.domain));
  }
  return found;
}

Addresses forwarded_addresses(const Graph& graph) {
  Addresses addresses;
  for (const auto& [address, node] : graph.nodes)
    if (!node.targets.empty() && !reach(graph, address).elsewhere.empty()) addresses.insert(address);
  return addresses;
}

std::size_t count_targets(const Graph& graph) {
  Addresses all;
  for (const auto& [address, node] : graph.nodes) all.insert(node.targets.begin(), node.targets.end());
  return all.size();
}

}  // namespace mailstead::delivery
