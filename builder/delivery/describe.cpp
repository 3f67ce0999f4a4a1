// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/describe.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "delivery/reach.hpp"

namespace mailstead::delivery {
namespace {

class Describer {
 public:
  Describer(const Graph& graph, const std::vector<spec::Domain>& domains) : graph_(graph) {
    for (const spec::Domain& domain : domains)
      if (!domain.unicode.empty()) unicode_.emplace(domain.name, domain.unicode);
  }

  Description describe(const spec::Address& address, const Node& node) const {
    return {address.local.empty() ? "all others of " + shown(address.domain) : shown(address),
            receivers_of(address, node)};
  }

 private:
  std::string shown(const std::string& domain) const {
    const auto found = unicode_.find(domain);
    return found == unicode_.end() ? domain : std::string(found->second);
  }
  std::string shown(const spec::Address& address) const {
    return address.local + "@" + shown(address.domain);
  }

  std::string listed(const Addresses& addresses) const {
    constexpr std::size_t kMaxShown = 6;
    std::string text;
    std::size_t count = 0;
    for (const spec::Address& address : addresses) {
      if (++count > kMaxShown) return text + fmt::format(" and {} more", addresses.size() - kMaxShown);
      text += (text.empty() ? "" : ", ") + shown(address);
    }
    return text;
  }

  std::string receivers_of(const spec::Address& address, const Node& node) const {
    if (node.account != nullptr && node.account->send_only) return "nobody: it only sends";
    const Reach found = reach(graph_, address);
    std::string text = listed(found.mailboxes);
    if (found.elsewhere.empty()) return text;
    return text + (text.empty() ? "" : "; ") + "elsewhere: " + listed(found.elsewhere);
  }

  const Graph& graph_;
  std::map<std::string_view, std::string_view> unicode_;  ///< by the domain's name
};

bool gets_only_its_own(const spec::Address& address, const Node& node) {
  return node.receives() && (node.targets.empty() || node.targets == Addresses{address});
}

}  // namespace

Descriptions describe(const Graph& graph, const std::vector<spec::Domain>& domains, std::size_t most) {
  const Describer describer(graph, domains);
  Descriptions made;
  for (const auto& [address, node] : graph.nodes) {
    if (node.implied || gets_only_its_own(address, node)) continue;
    // Only for those that are shown: of a large site, the way of each address takes long to follow.
    if (made.lines.size() < most)
      made.lines.push_back(describer.describe(address, node));
    else
      ++made.left_out;
  }
  return made;
}

}  // namespace mailstead::delivery
