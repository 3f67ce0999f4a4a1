// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace mailstead::mailtest {

/// What a connection of a dialogue speaks; plain: a reply is a line.
enum class Protocol { smtp, imap, sieve, plain };

}  // namespace mailstead::mailtest
