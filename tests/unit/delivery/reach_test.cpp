// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/reach.hpp"

#include "support/catch.hpp"
#include "support/delivery_site.hpp"

using namespace mailstead;
using namespace mailstead::delivery;
using spec::Address;

TEST_CASE("what leaves for other servers is known, through all its names") {
  spec::Site made = site();
  made.domains[0].catch_all = Address{"carol", "example.net"};
  made.forwards[{"carol", "example.net"}] = {{"carol", "elsewhere.example"}};
  const Graph graph = make_graph(made);
  // alice has a copy sent on; abuse, postmaster and root are hers.
  CHECK(shown(forwarded_addresses(graph)) ==
        "@example.net abuse@example.org abuse@mail.example.org alice@example.org carol@example.net "
        "mailer-daemon@mail.example.org old@example.org postmaster@example.org postmaster@mail.example.org "
        "root@mail.example.org team@example.org");
  CHECK(shown(reach(graph, {"team", "example.org"}).mailboxes) == "alice@example.org bob@example.net");
  CHECK(shown(reach(graph, {"team", "example.org"}).elsewhere) == "alice@elsewhere.example");
  CHECK(shown(reach(graph, {"nobody", "example.net"}).elsewhere) == "carol@elsewhere.example");
  CHECK(shown(reach(graph, {"bob", "example.net"}).mailboxes) == "bob@example.net");
  CHECK(shown(reach(graph, {"old", "example.org"}).mailboxes).empty());
}

TEST_CASE("mail for what does not exist or only sends ends nowhere") {
  spec::Site made = site();
  const Graph graph = make_graph(made);
  for (const char* local : {"nobody", "noreply"}) {
    const Reach found = reach(graph, {local, "example.org"});
    CHECK(found.mailboxes.empty());
    CHECK(found.elsewhere.empty());
  }
  made.domains[1].catch_all = Address{"alice", "example.org"};
  CHECK(reach(make_graph(made), {"noreply", "example.org"}).mailboxes.empty());
  CHECK(shown(reach(make_graph(made), {"nobody", "example.org"}).mailboxes) == "alice@example.org");
  CHECK(shown(reach(graph, {"x", "elsewhere.example"}).elsewhere) == "x@elsewhere.example");
}

TEST_CASE("a chain of forwards of any length is followed") {
  spec::Site made = site();
  constexpr int kLong = 100'000;
  for (int i = 0; i < kLong; ++i)
    made.forwards[{"f" + std::to_string(i), "example.org"}] = {
        i + 1 == kLong ? Address{"bob", "example.net"} : Address{"f" + std::to_string(i + 1), "example.org"}};
  CHECK(shown(reach(make_graph(made), {"f0", "example.org"}).mailboxes) == "bob@example.net");
}

TEST_CASE("targets are counted once each") {
  const spec::Site made = site();
  // alice (twice: hers and the postmaster's), bob, carol, the postmaster, and two elsewhere.
  CHECK(count_targets(make_graph(made)) == 6);
}
