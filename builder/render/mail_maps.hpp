// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "delivery/graph.hpp"

namespace mailstead::render {

using Entries = std::map<std::string, std::string>;

/// What Postfix knows of a site's addresses; each member becomes an indexed map of that name in etc/postfix.
/// The names and the form of keys and values are those of postconf(5), virtual(5) and access(5).
struct MailMaps {
  Entries virtual_mailbox_domains;  ///< domain -> itself
  Entries virtual_mailbox_maps;     ///< account that receives -> itself
  Entries virtual_alias_domains;    ///< the host name, unless it is a mail domain
  Entries virtual_alias_maps;       ///< address -> where its mail goes, separated by commas
  /// Sender -> accounts that may use it, separated by commas; "@domain" -> the account that may use what has
  /// no entry in the domain.
  Entries smtpd_sender_login_maps;
  Entries send_only_recipients;  ///< address nobody reads -> "550 5.7.1 text"
};

/// The graph in Postfix' words.
MailMaps make_mail_maps(const delivery::Graph& graph);

/// The names of the accounts that may use an address as sender, sorted: "nobody", which no account is called,
/// as it is without a domain, if there are none.
std::vector<std::string> sender_logins(const delivery::Addresses& senders);

/// How many addresses the expansion of one can give at most (virtual_alias_expansion_limit of postconf(5)).
std::size_t expansion_limit(const delivery::Graph& graph);

}  // namespace mailstead::render
