// SPDX-License-Identifier: GPL-3.0-or-later
// What other servers have hashed: crypt(5) as Debian's libxcrypt knows it, and the schemes that Dovecot's
// doveadm-pw(1) writes in front.
#include <array>

#include "spec/formats.hpp"
#include "support/catch.hpp"
#include "support/program.hpp"

using namespace mailstead;

namespace {

constexpr const char* kSha512 =
    "$6$saltsalt$8iYtNHxjWRl.NF6oNZ5tF.iKFlQREaXBLlSmZKP6dy9l5z3vsooWNW0/GZ6Nej73/TFug6pIPSqbJoCT6dfnj.";
constexpr const char* kBcryptEnd = "05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.";
constexpr const char* kArgon2 = "$v=19$m=65536,t=3,p=1$c2FsdHNhbHRzYWx0$b2pzZGZvaWpzb2lkZmpvc2lkamZvaXNqZGY";

/// The hash that the appliance gets; empty if it is refused.
std::string read(const std::string& text) {
  return spec::parse_password_hash(text).value_or("");
}

/// What libxcrypt makes of a password with this salt.
std::string hashed(const std::string& setting) {
  return test::output_of({"perl", "-e", "print crypt('correct horse', $ARGV[0])", setting});
}

}  // namespace

TEST_CASE("Hashes that crypt(3) makes are taken as they are") {
  for (const char* setting :
       {"$y$j9T$saltsaltsaltsaltsalt..", "$gy$j9T$saltsaltsaltsaltsalt..", "$7$CU..../....saltsaltsalt",
        "$2b$05$abcdefghijklmnopqrstuu", "$2a$05$abcdefghijklmnopqrstuu", "$2y$05$abcdefghijklmnopqrstuu",
        "$6$saltsalt", "$6$rounds=5000$saltsalt", "$5$saltsalt"}) {
    INFO(setting);
    const std::string hash = hashed(setting);
    REQUIRE(hash.starts_with(setting));
    CHECK(read(hash) == hash);
    CHECK(read("{CRYPT}" + hash) == hash);
    CHECK(read("{crypt}" + hash) == hash);
    CHECK(read(hash.substr(0, hash.size() - 1)).empty());
  }
}

TEST_CASE("Dovecot's scheme in front is taken off if it fits") {
  const std::string sha512 = kSha512, bcrypt = kBcryptEnd, argon2 = kArgon2;
  CHECK(read("{SHA512-CRYPT}" + sha512) == sha512);
  CHECK(read("{BLF-CRYPT}$2y$" + bcrypt) == "$2y$" + bcrypt);
  CHECK(read("{Blf-Crypt}$2b$" + bcrypt) == "$2b$" + bcrypt);
  CHECK(read("{SHA256-CRYPT}" + hashed("$5$saltsalt")) == hashed("$5$saltsalt"));
  CHECK(read("{ARGON2ID}$argon2id" + argon2) == "$argon2id" + argon2);
  CHECK(read("{ARGON2I}$argon2i" + argon2) == "$argon2i" + argon2);
  CHECK(read("$argon2i" + argon2) == "$argon2i" + argon2);
  const std::array<std::string, 10> wrong{"{BLF-CRYPT}" + sha512,
                                          "{SHA256-CRYPT}" + sha512,
                                          "{ARGON2I}$argon2id" + argon2,
                                          "{SHA512-CRYPT.b64}" + sha512,
                                          "{PLAIN}" + sha512,
                                          "{SHA512-CRYPT}",
                                          "{}",
                                          "{CRYPT}{CRYPT}" + sha512,
                                          " {CRYPT}" + sha512,
                                          "{CRYPT} " + sha512};
  for (const std::string& text : wrong) CHECK(read(text).empty());
}

TEST_CASE("Neither a refused hash nor a password is repeated in the message") {
  for (const char* text : {"{PLAIN}hunter2", "{my}hunter2", "hunter2", "{hunter2}$6$", "$hunter2$x",
                           "{cleartext}hunter2", "$6$hunter2"}) {
    const auto checked = spec::parse_password_hash(text);
    REQUIRE_FALSE(checked);
    CHECK((checked.error().message + checked.error().hint).find("hunter2") == std::string::npos);
  }
}
