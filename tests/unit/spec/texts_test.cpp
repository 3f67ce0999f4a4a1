// SPDX-License-Identifier: GPL-3.0-or-later
// Each text that builder/spec and builder/yaml can say is asserted somewhere: in an expected file of
// tests/spec-errors, or in one of the unit tests where a file would be too large or needs a certain state of
// the machine.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <vector>

#include "base/files.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"

namespace fs = std::filesystem;
using namespace mailstead;

namespace {

const fs::path kSource = MAILSTEAD_SOURCE_DIR;

/// All files below `folder` whose names end so, one behind the other.
std::string text_of(const fs::path& folder, std::string_view ending) {
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.path().string().ends_with(ending)) continue;
    const auto text = read_file(entry.path());
    REQUIRE(text);
    all += *text;
  }
  return all;
}

/// The texts in quotes, neighbours joined, escapes of quotes and backslashes resolved.
std::vector<std::string> literals_of(const std::string& code) {
  static const std::regex literal(R"re(//[^\n]*|R"re\([^\n]*|"((?:[^"\\\n]|\\.)*)")re");
  static const std::regex escape(R"re(\\(["'\\]))re");
  std::vector<std::string> literals;
  bool joins = false;
  for (std::sregex_iterator match(code.begin(), code.end(), literal), end; match != end; ++match) {
    const std::string between = match->prefix();
    joins =
        joins && std::all_of(between.begin(), between.end(), [](char c) { return c == ' ' || c == '\n'; });
    if (!joins) literals.emplace_back();
    joins = (*match)[1].matched;
    if (joins) literals.back() += std::regex_replace((*match)[1].str(), escape, "$1");
  }
  std::erase(literals, "");
  return literals;
}

/// What is left of a text without the places that are filled in; single words are found by chance, or are
/// keys.
std::vector<std::string> fixed_words(const std::string& text) {
  static const std::regex filled(R"re(\{[^{} ]*\}|\{\{|\}\}|\\n)re");
  static const std::regex words(R"re(^\s*(.*?[a-z].*?)\s*$)re");
  std::vector<std::string> parts;
  for (std::sregex_token_iterator part(text.begin(), text.end(), filled, -1), end; part != end; ++part) {
    const std::string one = *part;
    std::smatch match;
    if (std::regex_match(one, match, words) && match.str(1).find(' ') != std::string::npos)
      parts.push_back(match.str(1));
  }
  return parts;
}

}  // namespace

TEST_CASE("Every text that a spec can be refused with is asserted") {
  std::string asserted = text_of(kSource / "tests" / "spec-errors", ".expected") +
                         text_of(kSource / "tests" / "unit" / "spec" / "cases", ".site");
  for (const char* folder : {"spec", "yaml"}) {
    for (const std::string& literal : literals_of(text_of(kSource / "tests" / "unit" / folder, "_test.cpp")))
      asserted += literal + "\n";
  }
  std::string code =
      text_of(kSource / "builder" / "spec", ".cpp") + text_of(kSource / "builder" / "yaml", ".cpp");
  // What yaml-cpp says is translated and never said.
  code = std::regex_replace(code, std::regex(R"re(Explanation\{"[^"]*")re"), "");
  std::size_t count = 0;
  for (const std::string& literal : literals_of(code)) {
    for (const std::string& words : fixed_words(literal)) {
      ++count;
      if (asserted.find(words) != std::string::npos) continue;
      INFO(words);
      CHECK(false);
    }
  }
  CHECK(count > 150);
}

TEST_CASE("Texts that no test asserts are recognized") {
  CHECK(literals_of("f(\"a \\\"b\\\" \"\n  \"c\", x);  // \"d\"\n") == std::vector<std::string>{"a \"b\" c"});
  CHECK(fixed_words("{} is not {:02x}, but {{ it is }}\\nso {} word") ==
        std::vector<std::string>{"is not", ", but", "it is"});
}

TEST_CASE("A file that its mode keeps from us is an error at its name") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  REQUIRE(write_file(folder.path() / "hash", "x", 0));
  fs::permissions(folder.path(), fs::perms(0755));
  const Outcome outcome = in_child([&] {
    // A superuser may read everything; in a process of its own, because there is no way back.
    if (::geteuid() == 0 && ::seteuid(65534) != 0) return std::string("no other user");
    const auto site = spec::parse_site(
        "mailstead: 1\nhostname: mail.example.org\ndomains:\n  example.org: {}\naccounts:\n"
        "  postmaster@example.org:\n    password_hash_file: hash\n",
        folder.path() / "mail.yaml");
    return site ? "read" : site.error().message + ": " + site.error().hint;
  });
  CHECK(outcome.text == "the file 'hash' cannot be read: check its owner and mode");
}

TEST_CASE("A folder that has been removed is an error, not a site without a place") {
  const Outcome outcome = in_child([] {
    {
      const TemporaryDirectory folder = TemporaryDirectory::create().value();
      fs::current_path(folder.path());
    }
    const auto site = spec::parse_site("mailstead: 1\n", "mail.yaml");
    return site ? "read" : site.error().message;
  });
  CHECK(outcome.text == "cannot find the folder of mail.yaml: No such file or directory");
}
