// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/files.hpp"

#include <filesystem>
#include <string>

#include "crypto/digest.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"

using namespace mailstead;

TEST_CASE("What was read of the files that a spec names is noted with its digest, keys excepted") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const std::string hash = "$y$j9T$5vvD0XmHo6ZbZLr3LsFmj.$gJO4BGMxNHnUtUcSBVFlHLFVgeSYHsDBa8UBCTqGFq4\n";
  const std::string script = "keep;\n";
  std::filesystem::create_directories(folder.path() / "sieve");
  REQUIRE(write_file(folder.path() / "hash", hash, 0600));
  REQUIRE(write_file(folder.path() / "sieve/alice", script));
  REQUIRE(write_file(folder.path() / "cert.pem", "-----BEGIN CERTIFICATE-----\n"));
  REQUIRE(write_file(folder.path() / "key.pem", "-----BEGIN PRIVATE KEY-----\n", 0600));
  const auto site = spec::parse_site(
      "mailstead: 1\nhostname: mail.example.org\ntls: {mode: files, certificate: cert.pem, key: "
      "key.pem}\n"
      "domains: {example.org: {}}\naccounts:\n"
      "  postmaster@example.org: {password_hash_file: hash, sieve_file: sieve/alice}\n",
      folder.path() / "mail.yaml");
  if (!site) FAIL(site.error().message);
  CHECK(site->files == std::map<std::string, std::string>{{"hash", crypto::sha256_hex(hash)},
                                                          {"sieve/alice", crypto::sha256_hex(script)}});
}
