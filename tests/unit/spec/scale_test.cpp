// SPDX-License-Identifier: GPL-3.0-or-later
// Large sites are read in time that grows with their size, and hostile ones end soon.
#include <fmt/format.h>

#include <ctime>
#include <functional>

#include "spec/load.hpp"
#include "support/catch.hpp"

using namespace mailstead;

namespace {

// "Well under a second" is for an optimised build; this one may be neither that nor alone on its machine.
#if defined(MAILSTEAD_SANITIZED)
constexpr double kMostSeconds = 60;
#else
constexpr double kMostSeconds = 10;
#endif
constexpr const char* kHash =
    "\"$6$saltsalt$8iYtNHxjWRl.NF6oNZ5tF.iKFlQREaXBLlSmZKP6dy9l5z3vsooWNW0/GZ6Nej73/TFug6pIPSqbJoCT6dfnj.\"";

// Of the processor.
double seconds(const std::function<void()>& work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::string one_domain() {
  return fmt::format(
      "mailstead: 1\nhostname: mail.example.org\ndomains:\n  example.org: {{}}\naccounts:\n"
      "  postmaster@example.org: {{password_hash: {}}}\n",
      kHash);
}

}  // namespace

TEST_CASE("10,000 accounts and 1,000 domains are read") {
  std::string text = "mailstead: 1\nhostname: mail.example.org\ndomains:\n";
  for (int i = 0; i < 1000; ++i)
    text += fmt::format("  domain{}.example: {{dkim: {{selector: s2026}}}}\n", i);
  text += "accounts:\n";
  for (int i = 0; i < 10'000; ++i) {
    text +=
        fmt::format("  user{}@domain{}.example:\n    password_hash: {}\n    quota: 5G\n    aliases: [{}]\n",
                    i, i % 1000, kHash,
                    i < 1000 ? fmt::format("postmaster@domain{}.example", i)
                             : fmt::format("alias{}@domain{}.example", i, i % 7));
  }
  text += "aliases:\n";
  for (int i = 0; i < 2000; ++i)
    text +=
        fmt::format("  team{0}@domain0.example: [user{0}@domain{1}.example, alias9999@domain{2}.example]\n",
                    i, i % 1000, 9999 % 7);
  text += "forwards:\n";
  for (int i = 0; i < 2000; ++i)
    text += fmt::format("  old{0}@domain1.example: [new{0}@elsewhere.example, old{1}@domain1.example]\n", i,
                        (i + 1) % 2000 == 0 ? i - 1 : i + 1);
  // The last forward leads back to the one before it: an error that is found behind 2,000 steps.
  Result<spec::Site> site;
  CHECK(seconds([&] { site = spec::parse_site(text, "mail.yaml"); }) < kMostSeconds);
  REQUIRE(!site);
  CHECK(site.error().message == "forward loop: 'old1999@domain1.example' leads back to itself");
  CHECK(site.error().others.empty());
  const std::size_t last = text.rfind(", old1998@domain1.example");
  text.erase(last, std::string(", old1998@domain1.example").size());
  const double elapsed = seconds([&] { site = spec::parse_site(text, "mail.yaml"); });
  if (std::getenv("MAILSTEAD_SHOW_COSTS") != nullptr) WARN("10,000 accounts: " << elapsed << " s");
  CHECK(elapsed < kMostSeconds);
  INFO((site ? "" : format_error(site.error())));
  REQUIRE(site);
  CHECK(site->accounts.size() == 10'000);
  CHECK(site->domains.size() == 1000);
  CHECK(site->aliases.size() == 2000);
  CHECK(site->forwards.size() == 2000);
}

TEST_CASE("Aliases that would grow with the square of the file are refused soon") {
  std::string text = one_domain();
  for (int i = 0; i < 5000; ++i) text += fmt::format("  u{}@example.org: {{password_hash: {}}}\n", i, kHash);
  text += "aliases:\n  all@example.org:\n";
  for (int i = 0; i < 5000; ++i) text += fmt::format("    - u{}@example.org\n", i);
  for (int i = 0; i < 5000; ++i) text += fmt::format("  a{}@example.org: [all@example.org]\n", i);
  Result<spec::Site> site;
  CHECK(seconds([&] { site = spec::parse_site(text, "mail.yaml"); }) < kMostSeconds);
  REQUIRE(!site);
  CHECK(site.error().message == "all aliases together lead to more than 1000000 accounts");
}

TEST_CASE("A file of nothing but mistakes ends soon, with the first thousand of them") {
  std::string text = one_domain();
  for (int i = 0; i < 20'000; ++i)
    text += fmt::format("  u{0}@exmaple{0}.org: {{password_hsh: x, qouta: y}}\n", i);
  text += "aliases:\n";
  for (int i = 0; i < 20'000; ++i)
    text += fmt::format("  a{0}@example.org: [n{0}@example.org, b{0}@example.org]\n", i);
  Result<spec::Site> site;
  CHECK(seconds([&] { site = spec::parse_site(text, "mail.yaml"); }) < kMostSeconds);
  REQUIRE(!site);
  CHECK(site.error().others.size() == 999);
}

TEST_CASE("A long line of mistakes does not repeat itself in memory") {
  std::string text = one_domain() + "aliases:\n  a@example.org: [";
  for (int i = 0; text.size() < 250'000; ++i) text += fmt::format("n{}, ", i);
  text += "]\n";
  Result<spec::Site> site;
  CHECK(seconds([&] { site = spec::parse_site(text, "mail.yaml"); }) < kMostSeconds);
  REQUIRE(!site);
  CHECK(site.error().place->source_line.empty());
}
