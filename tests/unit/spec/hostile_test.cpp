// SPDX-License-Identifier: GPL-3.0-or-later
// Specs made to exhaust the reader, as large as the YAML reader lets them be: each must end in errors in
// bounded time and memory.
#include <fmt/format.h>

#include <csignal>

#include "base/interrupt.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"

using namespace mailstead;

namespace {

constexpr const char* kHead = "mailstead: 1\nhostname: mail.example.org\ndomains:\n  example.org: {}\n";

struct Hostile {
  std::string name;
  std::function<std::string()> text;
  std::string message;  ///< what the errors must hold
};

/// kHead, `before`, a line for each number and `after`.
std::function<std::string()> lines(int count, std::string before, std::function<std::string(int)> line,
                                   std::string after = {}) {
  return [=] {
    std::string text = kHead + before;
    for (int i = 0; i < count; ++i) text += line(i);
    return text + after;
  };
}

std::vector<Hostile> hostile_specs() {
  const std::string a(58, 'a');
  std::string missing, targets;
  for (int i = 0; i < 100; ++i) {
    missing += fmt::format("  k@b{0}{1}.{1}.example: {{}}\n", i, a);
    targets += fmt::format("  - b{0}{1}@{1}.example.org\n", i, a);
  }
  std::vector<Hostile> specs{
      {"unknown keys", lines(124'000, "", [](int i) { return fmt::format("k{}: v\n", i); }), "unknown key"},
      {"accounts of nothing",
       lines(49'000, "accounts:\n", [](int i) { return fmt::format("  k{}@example.org: {{}}\n", i); }),
       "has no 'password_hash'"},
      {"too many accounts",
       lines(82'000, "accounts:\n", [](int i) { return fmt::format("  k{}@example.org: {{}}\n", i); }),
       "the site has more than 50000 accounts"},
      {"accounts of other domains",
       lines(82'000, "accounts:\n", [](int i) { return fmt::format("  k@exbmple{}.org: {{}}\n", i); }),
       "is not one of this site's"},
      {"passwords",
       lines(124'000, "accounts:\n", [](int i) { return fmt::format("  k{}@example.org: x\n", i); }),
       "takes keys of its own, not text"},
      {"names that are no addresses",
       lines(240'000, "aliases:\n  a@example.org:\n", [](int) { return "  - x\n"; }), "is not an address"},
      {"unknown algorithms",
       lines(
           240'000, "  example.net: {dkim: {algorithms: [\n", [](int) { return "x,\n"; }, "]}}\n"),
       "'algorithms' must be rsa2048 or ed25519"},
      {"addresses that are not there",
       lines(240'000, "aliases:\n  a@example.org:\n",
             [](int i) { return fmt::format("  - n{}@example.org\n", i); }),
       "does not exist"},
      {"too many domains", lines(120'000, "", [](int i) { return fmt::format("  example{}.net:\n", i); }),
       "the site has more than 10000 domains"},
      {"domains of nothing", lines(9'000, "", [](int i) { return fmt::format("  example{}.net:\n", i); }),
       "has no postmaster"},
      {"domains that are near to many others",
       lines(
           9'900, "", [a](int i) { return fmt::format("  {:05}{}.{}.example:\n", i, a, a); },
           "accounts:\n" + missing),
       "is not one of this site's"},
      {"addresses that are near to many others",
       lines(40'000, fmt::format("  {}.example.org:\naliases:\n  a@example.org:\n{}", a, targets),
             [a](int i) { return fmt::format("  {:05}{}@{}.example.org: [a@example.org]\n", i, a, a); }),
       "does not exist"},
      {"forwards that are not there",
       lines(60'000, "forwards:\n",
             [](int i) { return fmt::format("  k{}@example.org: [b@example.org]\n", i); }),
       "does not exist"},
      {"a chain of forwards",
       lines(
           60'000, "forwards:\n",
           [](int i) { return fmt::format("  k{}@example.org: [k{}@example.org]\n", i, (i + 1) % 60'000); }),
       "leads back to itself"},
  };
  return specs;
}

}  // namespace

TEST_CASE("Hostile specs end in errors, soon and in little memory") {
  for (const Hostile& spec : hostile_specs()) {
    const std::string text = spec.text();
    const Outcome outcome = in_child([&] {
      const auto site = spec::parse_site(text, "mail.yaml");
      return site ? "read" : format_error(site.error());
    });
    INFO(spec.name << ": " << outcome.seconds << " s, " << outcome.megabytes << " MB\n"
                   << outcome.text.substr(0, 400));
    if (std::getenv("MAILSTEAD_SHOW_COSTS") != nullptr)
      WARN(fmt::format("{:50} {:.2f} s {:4} MB", spec.name, outcome.seconds, outcome.megabytes));
    CHECK(outcome.text.find(spec.message) != std::string::npos);
    CHECK(outcome.text.size() < 1'000'000);
    CHECK(outcome.seconds < kMostSeconds);
    CHECK(outcome.megabytes < kMostMegabytes);
  }
}

TEST_CASE("A site is not checked to its end when the user asks to stop") {
  const Outcome outcome = in_child([] {
    catch_interrupts();
    ::raise(SIGTERM);
    const auto site = spec::parse_site(kHead, "mail.yaml");
    return site ? "read" : format_error(site.error());
  });
  CHECK(outcome.text == "interrupted; no partial output was left\n");
}
