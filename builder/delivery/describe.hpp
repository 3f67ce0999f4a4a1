// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "delivery/graph.hpp"

namespace mailstead::delivery {

/// Who gets the mail of an address, for people.
struct Description {
  std::string address;    ///< "alice@example.org", or "all others of example.org" for the rest of a domain
  std::string receivers;  ///< "alice@example.org; elsewhere: alice@example.com", or that it only sends
};

struct Descriptions {
  std::vector<Description> lines;
  std::size_t left_out = 0;  ///< how many more addresses have a line
};

/// The addresses with a node, in the order of their texts, each with where its mail ends after all rules have
/// been followed: the accounts, then the addresses at other servers, of each kind the first ones. Accounts
/// that get their own mail, and nobody else does, and addresses that the site does not name are left out, and
/// so is what comes after the first `most` lines. `domains` are those of the site; their names are shown as
/// people write them.
Descriptions describe(const Graph& graph, const std::vector<spec::Domain>& domains, std::size_t most);

}  // namespace mailstead::delivery
