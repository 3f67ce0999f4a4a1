// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/redirects.hpp"

#include "spec/formats.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using spec::most_redirects;
using spec::redirect_targets;

namespace {

std::string redirects(std::size_t number) {
  std::string script;
  for (std::size_t i = 0; i < number; ++i) script += "redirect \"a" + std::to_string(i) + "@example.net\";\n";
  return script;
}

}  // namespace

TEST_CASE("the redirects that one message can meet are counted") {
  CHECK(most_redirects("") == 0);
  CHECK(most_redirects("keep;") == 0);
  CHECK(most_redirects(redirects(3)) == 3);
  CHECK(most_redirects("Redirect :copy \"a@b\";REDIRECT\"c@d\";") == 2);
  // Of alternatives one is taken.
  CHECK(most_redirects(
            "if true { redirect \"a\"; } elsif true { redirect \"a\"; redirect \"b\"; } else { keep; } "
            "redirect \"c\";") == 3);
  CHECK(most_redirects("if true { redirect \"a\"; } if true { redirect \"b\"; }") == 2);
  CHECK(most_redirects("if anyof (true, not header :is \"x\" [\"redirect\", \"y\"]) { redirect \"a\"; }") ==
        1);
  // What follows a stop is never met; what follows an if with one is.
  CHECK(most_redirects("redirect \"a\"; stop; redirect \"b\";") == 1);
  CHECK(most_redirects("if true { redirect \"a\"; stop; } redirect \"b\"; redirect \"c\";") == 2);
  CHECK(most_redirects("if true { redirect \"a\"; redirect \"b\"; redirect \"c\"; stop; } redirect \"d\";") ==
        3);
  CHECK(most_redirects("if true { stop; } else { redirect \"a\"; stop; } redirect \"b\";") == 1);
  CHECK(most_redirects(
            "redirect \"a\"; if true { redirect \"b\"; if true { redirect \"c\"; } else { stop; } }") == 3);
}

TEST_CASE("the word redirect in comments, strings and texts is no command") {
  CHECK(most_redirects("# redirect \"a\";\n/* redirect \"b\"; */ redirect \"c\";") == 1);
  CHECK(most_redirects("vacation \"\\\"; redirect \\\"a;\";") == 0);
  CHECK(most_redirects("vacation text: # why\nredirect \"a\";\n..\nredirect \"b\";\n.\n;\nredirect \"c\";") ==
        1);
  CHECK(most_redirects("vacation text:\r\nredirect \"a\";\r\n.\r\n; redirect \"c\";") == 1);
}

TEST_CASE("the addresses of redirects are found, and no others") {
  CHECK(redirect_targets(
            "require \"copy\"; redirect :copy \"a@b.example\"; if true { Redirect \"c\"; keep; }") ==
        std::vector<std::string>{"a@b.example", "c"});
  CHECK(redirect_targets("fileinto \"x\"; # redirect \"a\";\nvacation \"redirect\";").empty());
  CHECK(redirect_targets("fileinto \"x\"; redirect text:\na\n.\n;") == std::vector<std::string>{"a"});
  CHECK(redirect_targets("redirect TEXT: # why\r\n..a@b\r\n.\r\n; redirect text:\nc@d") ==
        std::vector<std::string>{".a@b"});
  CHECK(redirect_targets("redirect /* to */ :copy # and\n \"a@b\" /* ; redirect \"c\" */;") ==
        std::vector<std::string>{"a@b"});
  CHECK(redirect_targets(redirects(30)).size() == spec::kMostRedirects);
}

TEST_CASE("the address of a redirect is found beside a name and comments") {
  const auto target = [](const std::string& text) {
    const auto targets = redirect_targets("redirect text:\n" + text + "\n.\n;");
    REQUIRE(targets.size() == 1);
    return targets.front();
  };
  CHECK(target("Foo <y@gmail.com>") == "y@gmail.com");
  CHECK(target("\"Foo, <x@y> \\\" (\" < y@gmail.com >") == "y@gmail.com");
  CHECK(target("y@gmail.com (Foo <x@y> \\) (a))") == "y@gmail.com");
  CHECK(target("(Foo) \"y\"@gmail.com ") == "y@gmail.com");
  CHECK(target("${to}") == "${to}");
  CHECK(target("\"\"") == "");
  CHECK(target("(\\") == "");
  CHECK(redirect_targets("redirect \"Foo <y@gmail.com>\";") == std::vector<std::string>{"y@gmail.com"});
  CHECK(redirect_targets("redirect \"\\\"Foo\\\" <y@gmail.com>\";") ==
        std::vector<std::string>{"y@gmail.com"});
}

TEST_CASE("texts that are no script end") {
  for (const char* text :
       {"\"", "text:", "/*", "{{{{", "}}}} redirect \"a\";", "if {", ":", "redirect", "\"\\"}) {
    CHECK(most_redirects(text) <= 1);
    CHECK(redirect_targets(text).size() <= 1);
  }
  CHECK(most_redirects(std::string(100'000, '{')) == 0);
}

TEST_CASE("a script that redirects to more addresses than Dovecot passes on is refused") {
  CHECK(spec::parse_sieve(redirects(spec::kMostRedirects)));
  const auto refused = spec::parse_sieve(redirects(spec::kMostRedirects + 1));
  REQUIRE(!refused);
  CHECK(refused.error().message ==
        "the sieve script may redirect a message to 26 addresses; at most 25 are possible");
  CHECK(refused.error().hint == "list the addresses below 'forwards' instead");
}
