// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "render/mail_maps.hpp"
#include "spec/site.hpp"

namespace mailstead::render {

/// For a recipient that is no account: the account whose mailbox is looked at before mail is taken.
struct QuotaRecipient {
  std::string address;  ///< as in virtual_alias_maps: local@domain, or @domain for all that is not named
  const spec::Account* account = nullptr;
  bool limited = false;  ///< false: mail is always taken, `account` only gives the look-up an end
};

/// The recipients of `maps`, made from `site`, whose mail goes to one mailbox of ours, sorted by address:
/// aliases, shared addresses with one member, catch-alls. Others (to several mailboxes, or none) are named
/// only where a catch-all would answer for them, and have no limit. The pointers live as long as `site`.
std::vector<QuotaRecipient> quota_recipients(const spec::Site& site, const MailMaps& maps);

}  // namespace mailstead::render
