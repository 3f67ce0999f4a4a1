// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mailstead::spec {

/// To how many addresses a script may redirect one message: Dovecot is told it (sieve_max_redirects). Beyond,
/// it passes on none. Enough for a club's board, and no means to make a thousand messages of one; a list
/// belongs into the spec.
inline constexpr std::size_t kMostRedirects = 25;

/// How many `redirect` commands of a Sieve script (RFC 5228) one message can meet at most: of an if and its
/// alternatives one is taken, and `stop` ends the script. Of a text that is no script, something up to the
/// number of its words.
std::size_t most_redirects(std::string_view script);

/// The addresses in its `redirect` commands, without names and comments beside them, as they are written
/// there (also with variables), at most kMostRedirects of them.
std::vector<std::string> redirect_targets(std::string_view script);

}  // namespace mailstead::spec
