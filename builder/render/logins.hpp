// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "spec/site.hpp"

namespace mailstead::render {

/// Another name by which an account's owner may log in.
struct Login {
  std::string name;  ///< UTF-8; ASCII letters are lower case, as Dovecot makes them before it looks
  const spec::Account* account;
};

/// The aliases of each account, and the spellings of its addresses with the domain as people read it: lower
/// case, upper case and with a capital at its beginning. Not the addresses that accounts share: they are
/// nobody's alone. Sorted by name. The accounts belong to `site`.
std::vector<Login> other_logins(const spec::Site& site);

}  // namespace mailstead::render
