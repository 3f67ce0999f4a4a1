// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/digest.hpp"

#include "base/files.hpp"
#include "support/catch.hpp"

namespace mailstead::crypto {
namespace {

TEST_CASE("SHA-256: the examples of FIPS 180-4") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 pieces;
  pieces.update("a");
  pieces.update("bc");
  CHECK(to_hex(pieces.finish()) == sha256_hex("abc"));
}

TEST_CASE("SHA-256 of a file") {
  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder);
  REQUIRE(write_file(folder->path() / "f", "abc"));
  CHECK(sha256_file_hex(folder->path() / "f").value() == sha256_hex("abc"));
  CHECK_FALSE(sha256_file_hex(folder->path() / "g"));
}

TEST_CASE("is_sha256_hex: 64 lower-case digits and nothing else") {
  const std::string digits = sha256_hex("abc");
  CHECK(is_sha256_hex(digits));
  for (const char digit : {'F', 'g', ' ', '/', ':', '`'})
    CHECK_FALSE(is_sha256_hex(digits.substr(1) + digit));
  CHECK_FALSE(is_sha256_hex(""));
  CHECK_FALSE(is_sha256_hex(digits.substr(1)));
  CHECK_FALSE(is_sha256_hex(digits + "0"));
}

TEST_CASE("derived_uuid: the same for the same name, another for another, version 8") {
  const std::string one = derived_uuid("lock", "usr");
  CHECK(one == derived_uuid("lock", "usr"));
  CHECK(one != derived_uuid("lock", "root"));
  CHECK(one != derived_uuid("locku", "sr"));
  REQUIRE(one.size() == 36);
  CHECK(one[14] == '8');
  CHECK(std::string("89ab").find(one[19]) != std::string::npos);
}

}  // namespace
}  // namespace mailstead::crypto
