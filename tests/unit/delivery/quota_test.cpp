// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/quota.hpp"

#include "support/catch.hpp"
#include "support/delivery_site.hpp"

using namespace mailstead;
using namespace mailstead::delivery;

TEST_CASE(
    "the quota of a mailbox holds for all its names, shared addresses and the unnamed in other domains do "
    "not") {
  spec::Site made = site();
  made.aliases[{"one", "example.net"}] = {{"carol", "example.net"}};
  made.aliases[{"both", "example.net"}] = {{"bob", "example.net"}, {"carol", "example.net"}};
  made.forwards[{"away", "example.net"}] = {{"x", "elsewhere.example"}};
  std::vector<std::string> lines;
  for (const QuotaRecipient& recipient : quota_recipients(make_graph(made)))
    lines.push_back(recipient.address.text() + " " + recipient.account->address.text() +
                    (recipient.limited ? "" : " without limit"));
  CHECK(lines ==
        std::vector<std::string>{
            "@example.net bob@example.net", "abuse@example.org alice@example.org",
            "abuse@mail.example.org alice@example.org", "away@example.net bob@example.net without limit",
            "both@example.net bob@example.net without limit",
            "mailer-daemon@mail.example.org alice@example.org", "one@example.net carol@example.net",
            "postmaster@example.org alice@example.org", "postmaster@mail.example.org alice@example.org",
            "root@mail.example.org alice@example.org"});
}
