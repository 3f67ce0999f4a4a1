// SPDX-License-Identifier: GPL-3.0-or-later
#include "delivery/graph.hpp"

#include "support/catch.hpp"
#include "support/delivery_site.hpp"

using namespace mailstead;
using namespace mailstead::delivery;
using spec::Address;

namespace {

/// A line each: address, its mailbox, its targets, who may write as it ("-": not decided).
std::vector<std::string> lines_of(const Graph& graph) {
  std::vector<std::string> lines;
  for (const auto& [address, node] : graph.nodes)
    lines.push_back(address.text() + (node.receives() ? " mailbox" : "") + " to [" + shown(node.targets) +
                    "] from " + (node.senders ? "[" + shown(*node.senders) + "]" : "-"));
  return lines;
}

}  // namespace

TEST_CASE("the graph says who gets mail and who may send as whom") {
  const spec::Site made = site();
  const Graph graph = make_graph(made);
  CHECK(
      lines_of(graph) ==
      std::vector<std::string>{
          "@example.net to [bob@example.net] from [bob@example.net]",
          "abuse@example.org to [postmaster@example.org] from [alice@example.org]",
          "abuse@mail.example.org to [postmaster@example.org] from [alice@example.org]",
          "alice@example.org mailbox to [alice@elsewhere.example alice@example.org] from [alice@example.org]",
          "bob@example.net mailbox to [bob@example.net] from [bob@example.net]",
          "carol@example.net mailbox to [carol@example.net] from [carol@example.net]",
          "mailer-daemon@mail.example.org to [postmaster@example.org] from [alice@example.org]",
          "noreply@example.org to [] from [noreply@example.org]",
          "old@example.org to [x@elsewhere.example] from -",
          "postmaster@example.org to [alice@example.org] from [alice@example.org]",
          "postmaster@mail.example.org to [postmaster@example.org] from [alice@example.org]",
          "root@mail.example.org to [postmaster@example.org] from [alice@example.org]",
          "team@example.org to [alice@example.org bob@example.net] from [alice@example.org "
          "bob@example.net]"});
  CHECK(graph.mail_domains == std::set<std::string>{"example.net", "example.org"});
  CHECK(graph.machine == "mail.example.org");
  CHECK(graph.is_ours("mail.example.org"));
  CHECK(graph.is_ours("example.net"));
  CHECK_FALSE(graph.is_ours("elsewhere.example"));
  REQUIRE(graph.find({"noreply", "example.org"}) != nullptr);
  CHECK(graph.find({"noreply", "example.org"})->account == &made.accounts[3]);
  CHECK(graph.find({"nobody", "example.net"}) == nullptr);
}

TEST_CASE("who has the catch-all writes as what is nobody else's") {
  spec::Site made = site();
  made.domains[1].catch_all = Address{"alice", "example.org"};
  made.accounts[0].aliases.clear();
  const Graph graph = make_graph(made);
  CHECK(shown(*graph.find(rest_of("example.org"))->senders) == "alice@example.org");
  // A forward is somebody else's; the whole address is looked for first.
  REQUIRE(graph.find({"old", "example.org"})->senders);
  CHECK(graph.find({"old", "example.org"})->senders->empty());
  CHECK(shown(*graph.find({"noreply", "example.org"})->senders) == "noreply@example.org");
  // Mail to the machine goes to a postmaster whom the catch-all has.
  CHECK(shown(*graph.find({"postmaster", "mail.example.org"})->senders) == "alice@example.org");
}

TEST_CASE("complaints go to the postmaster, unless the spec names someone or takes all") {
  spec::Site made = site();
  CHECK(make_graph(made).find({"abuse", "example.net"}) == nullptr);
  made.accounts[0].aliases.push_back({"abuse", "example.org"});
  CHECK(shown(make_graph(made).find({"abuse", "example.org"})->targets) == "alice@example.org");
}

TEST_CASE("a host name that is a mail domain is no domain of the machine alone") {
  spec::Site made = site();
  made.hostname = "example.org";
  const Graph graph = make_graph(made);
  CHECK_FALSE(graph.machine);
  CHECK(shown(graph.find({"postmaster", "example.org"})->targets) == "alice@example.org");
  CHECK(shown(graph.find({"root", "example.org"})->targets) == "postmaster@example.org");
}

TEST_CASE("mail to a machine outside of its domains goes to the postmaster of the first") {
  spec::Site made = site();
  made.hostname = "mx.notexample.org";
  const Graph graph = make_graph(made);
  CHECK(shown(graph.find({"root", "mx.notexample.org"})->targets) == "postmaster@example.net");
}

TEST_CASE("a site without domains has a graph without addresses") {
  const Graph graph = make_graph(spec::Site{});
  CHECK(graph.nodes.empty());
  CHECK_FALSE(graph.machine);
}

TEST_CASE("addresses are in the order of their texts") {
  std::vector<Address> addresses;
  for (const char* local : {"", "!", "a", "a-b", "a.b", "a0", "aa", "ab", "b", "~"})
    for (const char* domain : {"a.example", "b.example"}) addresses.push_back({local, domain});
  for (const Address& a : addresses)
    for (const Address& b : addresses) {
      INFO(a.text() << " " << b.text());
      CHECK(ByText()(a, b) == (a.text() < b.text()));
    }
}
