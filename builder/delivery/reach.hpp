// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>

#include "delivery/graph.hpp"

namespace mailstead::delivery {

/// Where mail ends after all rules have been followed.
struct Reach {
  Addresses mailboxes;  ///< accounts of ours
  Addresses elsewhere;  ///< addresses at other servers
};

/// Where mail for `address` (or rest_of a domain) ends, by the rule of virtual(5): what leads to itself
/// stays. Nowhere, if the address does not exist or only sends.
Reach reach(const Graph& graph, const spec::Address& address);

/// The addresses (or rest_of) with a node whose mail goes to other servers, all of it or in part.
Addresses forwarded_addresses(const Graph& graph);

/// How many addresses are a target: one address stands for this many at most.
std::size_t count_targets(const Graph& graph);

}  // namespace mailstead::delivery
