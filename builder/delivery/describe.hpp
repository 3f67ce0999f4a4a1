// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "delivery/graph.hpp"

namespace mailstead::delivery {

/// Who gets the mail of an address, for people.
struct Description {
  std::string address;    ///< "alice@example.org", or "all others of example.org" for the rest of a domain
  std::string receivers;  ///< "alice@example.org; elsewhere: alice@example.com", or that it only sends
};

/// All addresses with a node, in the order of their texts, each with where its mail ends after all rules have
/// been followed: the accounts, then the addresses at other servers.
std::vector<Description> describe(const Graph& graph);

}  // namespace mailstead::delivery
