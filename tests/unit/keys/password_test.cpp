// SPDX-License-Identifier: GPL-3.0-or-later
#include <regex>
#include <set>

#include "keys/keys.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"

using namespace mailstead;
using test::output_of;

namespace {

/// What Perl's crypt(3) makes of the password with the hash as setting: the hash again if the password is
/// right.
std::string checked(const std::string& password, const std::string& hash) {
  return output_of({"perl", "-0777", "-e", "my $p = <STDIN>; print crypt($p, $ARGV[0])", hash}, password);
}

std::string refusal(std::string_view password) {
  const auto hash = keys::hash_password(password);
  REQUIRE_FALSE(hash);
  CHECK(hash.error().kind == ErrorKind::usage);
  return hash.error().message;
}

}  // namespace

TEST_CASE("a hash is yescrypt, salted, and accepted by crypt(3)") {
  for (const std::string& password : {std::string("correct horse"), std::string("pässwörd €"),
                                      std::string("x"), std::string(511, 'l'), std::string("'\"$`\\; \t")}) {
    const auto hash = keys::hash_password(password);
    REQUIRE(hash);
    CHECK(hash->starts_with("$y$j9T$"));
    CHECK(checked(password, *hash) == *hash);
    CHECK(checked(password + "x", *hash) != *hash);
    const auto again = keys::hash_password(password);
    REQUIRE(again);
    CHECK(*again != *hash);
  }
}

TEST_CASE("passwords that no client could send are refused") {
  CHECK(refusal("") == "the password is empty");
  for (const std::string_view bad :
       {std::string_view("a\nb"), std::string_view("a\r"), std::string_view("a\0b", 3)})
    CHECK(refusal(bad) == "the password holds a NUL character or a line end, which no mail client can send");
  CHECK(refusal(std::string(512, 'l')) == "the password is longer than 511 bytes");
}

TEST_CASE("a generated password has 80 bits, is easy to type, and differs each time") {
  const std::regex groups("[2-9a-km-np-z]{4}(-[2-9a-km-np-z]{4}){3}");
  std::set<std::string> passwords;
  std::set<char> characters;
  for (int i = 0; i < 200; ++i) {
    const auto password = keys::generate_password();
    REQUIRE(password);
    CHECK(std::regex_match(*password, groups));
    CHECK(keys::password_weakness(*password).empty());
    characters.insert(password->begin(), password->end());
    passwords.insert(*password);
  }
  CHECK(passwords.size() == 200);
  CHECK(characters.size() == 33);  // 32 and the hyphen: that one of them is never drawn is a matter of 10^-40
  CHECK(keys::hash_password(*passwords.begin()));
}

TEST_CASE("passwords that are guessed first are told from others") {
  CHECK(keys::password_weakness("abc") == "the password has only 3 characters");
  CHECK(keys::password_weakness("x") == "the password has only 1 character");
  CHECK(keys::password_weakness("äöüäöü") == "the password has only 6 characters");
  CHECK(keys::password_weakness("aaaaaaaaaaaa") == "the password repeats a few characters");
  CHECK(keys::password_weakness("0815200712") == "the password has only digits");
  for (const char* row : {"qwertzuiopas", "ABCDEFGHIJKL", "qwerty12345678", "zyxwvutsrqponm"})
    CHECK(keys::password_weakness(row) == "the password is a row of neighbouring characters");
  for (const char* fair : {"correct horse battery", "v3Kq-9xTz-Lm", "8402931756620419", "Grün-ist-die-Heide"})
    CHECK(keys::password_weakness(fair).empty());
}
