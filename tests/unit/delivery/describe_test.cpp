// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/describe.hpp"

#include "support/catch.hpp"
#include "support/delivery_site.hpp"

using namespace mailstead;
using namespace mailstead::delivery;

namespace {

std::vector<std::string> lines_of(const spec::Site& site, std::size_t most) {
  const Descriptions made = describe(make_graph(site), site.domains, most);
  std::vector<std::string> lines;
  for (const Description& line : made.lines) lines.push_back(line.address + ": " + line.receivers);
  if (made.left_out > 0) lines.push_back(std::to_string(made.left_out) + " more");
  return lines;
}

}  // namespace

TEST_CASE("who gets the mail of each address is told after all rules have been followed") {
  const spec::Site made = site();
  CHECK(lines_of(made, 100) ==
        std::vector<std::string>{
            "all others of example.net: bob@example.net",
            "alice@example.org: alice@example.org; elsewhere: alice@elsewhere.example",
            "noreply@example.org: nobody: it only sends", "old@example.org: elsewhere: x@elsewhere.example",
            "postmaster@example.org: alice@example.org; elsewhere: alice@elsewhere.example",
            "team@example.org: alice@example.org, bob@example.net; elsewhere: alice@elsewhere.example"});
}

TEST_CASE("domains are shown as people write them, and of many addresses the first ones") {
  spec::Site made;
  made.hostname = "mail.xn--bcher-kva.example";
  made.domains.resize(1);
  made.domains[0].name = "xn--bcher-kva.example";
  made.domains[0].unicode = "bücher.example";
  made.domains[0].catch_all = spec::Address{"bob", "xn--bcher-kva.example"};
  made.accounts = {account("alice", made.domains[0].name), account("bob", made.domains[0].name)};
  made.accounts[0].aliases = {{"postmaster", "xn--bcher-kva.example"}, {"info", "xn--bcher-kva.example"}};
  CHECK(lines_of(made, 2) == std::vector<std::string>{"all others of bücher.example: bob@bücher.example",
                                                      "info@bücher.example: alice@bücher.example", "1 more"});
  std::vector<spec::Address> all;
  for (int i = 0; i < 9; ++i) {
    made.accounts.push_back(account("u" + std::to_string(i), made.domains[0].name));
    all.push_back(made.accounts.back().address);
  }
  made.domains[0].catch_all.reset();
  made.aliases[{"all", "xn--bcher-kva.example"}] = all;
  CHECK(
      lines_of(made, 1) ==
      std::vector<std::string>{"all@bücher.example: u0@bücher.example, u1@bücher.example, u2@bücher.example, "
                               "u3@bücher.example, u4@bücher.example, u5@bücher.example and 3 more",
                               "2 more"});
}
