// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/describe.hpp"

#include "delivery/reach.hpp"

namespace mailstead::delivery {
namespace {

std::string listed(const Addresses& addresses) {
  std::string text;
  for (const spec::Address& address : addresses) text += (text.empty() ? "" : ", ") + address.text();
  return text;
}

std::string receivers_of(const Graph& graph, const spec::Address& address, const Node& node) {
  if (node.account != nullptr && node.account->send_only) return "nobody: it only sends";
  const Reach found = reach(graph, address);
  std::string text = listed(found.mailboxes);
  if (found.elsewhere.empty()) return text;
  return text + (text.empty() ? "" : "; ") + "elsewhere: " + listed(found.elsewhere);
}

}  // namespace

std::vector<Description> describe(const Graph& graph) {
  std::vector<Description> lines;
  lines.reserve(graph.nodes.size());
  for (const auto& [address, node] : graph.nodes)
    lines.push_back({address.local.empty() ? "all others of " + address.domain : address.text(),
                     receivers_of(graph, address, node)});
  return lines;
}

}  // namespace mailstead::delivery
