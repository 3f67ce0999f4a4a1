// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/describe.hpp"

#include "delivery_fixture.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::delivery;

TEST_CASE("who gets the mail of each address is told after all rules have been followed") {
  const spec::Site made = site();
  std::vector<std::string> lines;
  for (const Description& line : describe(make_graph(made)))
    lines.push_back(line.address + ": " + line.receivers);
  CHECK(lines ==
        std::vector<std::string>{
            "all others of example.net: bob@example.net",
            "abuse@example.org: alice@example.org; elsewhere: alice@elsewhere.example",
            "abuse@mail.example.org: alice@example.org; elsewhere: alice@elsewhere.example",
            "alice@example.org: alice@example.org; elsewhere: alice@elsewhere.example",
            "bob@example.net: bob@example.net", "carol@example.net: carol@example.net",
            "mailer-daemon@mail.example.org: alice@example.org; elsewhere: alice@elsewhere.example",
            "noreply@example.org: nobody: it only sends", "old@example.org: elsewhere: x@elsewhere.example",
            "postmaster@example.org: alice@example.org; elsewhere: alice@elsewhere.example",
            "postmaster@mail.example.org: alice@example.org; elsewhere: alice@elsewhere.example",
            "root@mail.example.org: alice@example.org; elsewhere: alice@elsewhere.example",
            "team@example.org: alice@example.org, bob@example.net; elsewhere: alice@elsewhere.example"});
}
