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

TEST_CASE("A lock or an image that is given instead of a spec is named as such") {
  const TemporaryDirectory folder = TemporaryDirectory::create().value();
  const std::filesystem::path lock = folder.path() / "mailstead.lock";
  REQUIRE(write_file(lock, "# Made by `mailstead lock`.\nmailstead-lock 1\nsuite trixie\n"));
  const std::filesystem::path image = folder.path() / "demo.img";
  REQUIRE(write_file(image, std::string(512, '\0') + "EFI PART" + std::string(1024, '\0')));
  for (const auto& [file, what] : {std::pair{lock, "a lock"}, {image, "a disk image"}}) {
    const auto site = spec::load_site(file);
    REQUIRE(!site);
    CHECK(format_error(site.error()) ==
          file.string() + " is " + what + ", not a spec\n  name the YAML file that describes the site\n");
  }
}
