// SPDX-License-Identifier: GPL-3.0-or-later
// The list of verbs in qemu-tests/README.md is made from the table. UPDATE_GOLDEN=1 writes it anew.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "base/files.hpp"
#include "base/terminal.hpp"
#include "mailtest/verbs.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::mailtest;

namespace {

const std::filesystem::path kReadme = MAILSTEAD_SOURCE_DIR "/qemu-tests/README.md";
constexpr std::string_view kBegin =
    "<!-- verbs: made from builder/mailtest/verbs.cpp by UPDATE_GOLDEN=1 -->\n";
constexpr std::string_view kEnd = "<!-- end of verbs -->\n";

std::string entry_of(const Verb& verb) {
  std::string says = "    " + std::string(verb.says);
  if (!verb.needs.empty()) says += fmt::format(" (needs {})", verb.needs);
  return fmt::format("{}\n{}\n", verb.form, wrap_line(says, 110, 4));
}

std::string list_of_verbs() {
  std::string list;
  for (const VerbGroup& group : verb_groups()) {
    list += fmt::format("\n### {}\n\n```\n", group.title);
    for (const Verb& verb : group.verbs) list += entry_of(verb);
    list += "```\n";
  }
  return list + "\n";
}

}  // namespace

TEST_CASE("qemu-tests/README.md lists every verb as the table has it") {
  std::string readme = read_file(kReadme).value();
  const std::size_t begin = readme.find(kBegin) + kBegin.size();
  const std::size_t end = readme.find(kEnd);
  REQUIRE(begin < end);
  REQUIRE(end != std::string::npos);
  INFO("the list differs from the table: write it with UPDATE_GOLDEN=1");
  const std::string shown = readme.substr(begin, end - begin);
  if (std::getenv("UPDATE_GOLDEN") != nullptr)
    REQUIRE(write_file(kReadme, readme.replace(begin, end - begin, list_of_verbs())));
  else
    CHECK(shown == list_of_verbs());
}

TEST_CASE("the README names the packages that verbs need") {
  const std::string readme = read_file(kReadme).value();
  const std::size_t begin = readme.find("Needed on the host:");
  REQUIRE(begin != std::string::npos);
  const std::string needed = readme.substr(begin, readme.find("\n\n", begin) - begin);
  for (const VerbGroup& group : verb_groups())
    for (const Verb& verb : group.verbs)
      for (std::string_view rest = verb.needs; !rest.empty();) {
        const std::string_view package = rest.substr(0, rest.find(", "));
        INFO(verb.form << " needs " << package);
        CHECK(needed.find(package) != std::string::npos);
        rest.remove_prefix(std::min(package.size() + 2, rest.size()));
      }
}

TEST_CASE("each verb has a record, and each keyword belongs to one") {
  std::set<std::string_view> keywords;
  std::size_t verbs = 0;
  for (const VerbGroup& group : verb_groups())
    for (const Verb& verb : group.verbs) {
      ++verbs;
      keywords.insert(verb.keyword());
      CHECK(find_verb(verb.keyword()) == &verb);
      CHECK_FALSE(verb.says.empty());
    }
  CHECK(keywords.size() == verbs);
  CHECK(verbs == std::variant_size_v<Action>);
}
