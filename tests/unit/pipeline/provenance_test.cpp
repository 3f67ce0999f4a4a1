// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/provenance.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::pipeline;

namespace {

using Json = nlohmann::json;

BuildResult build_result() {
  BuildResult result;
  result.image = "/somewhere/demo.img";
  result.base = "base";
  result.profile = "cloud-amd64";
  result.spec_sha256 = std::string(64, '1');
  result.lock.text_sha256 = std::string(64, '2');
  result.lock.suite = "trixie";
  result.lock.packages = {{"bash", "5.2", "amd64", "debian", "pool/bash.deb", 1, std::string(64, '3'), {}}};
  result.files = {{"alice.sieve", std::string(64, '7')}};
  result.keys = {{"s1._domainkey.example.org", std::string(64, '6')}};
  result.parts = {{"usr", 4096, std::string(64, '4')}};
  return result;
}

}  // namespace

TEST_CASE("A statement names what came out, what was asked for and what it was made from") {
  const Json statement =
      Json::parse(provenance_statement("/home/me/mail.yaml", build_result(), std::string(64, '5')));
  CHECK(statement["_type"] == "https://in-toto.io/Statement/v1");
  CHECK(statement["predicateType"] == "https://slsa.dev/provenance/v1");
  CHECK(statement["subject"][0] ==
        Json({{"name", "demo.img"}, {"digest", {{"sha256", std::string(64, '5')}}}}));
  CHECK(statement["subject"][1] ==
        Json({{"name", "base/usr"}, {"digest", {{"sha256", std::string(64, '4')}}}}));
  const Json& definition = statement["predicate"]["buildDefinition"];
  CHECK(definition["externalParameters"]["spec"]["name"] == "mail.yaml");
  CHECK(definition["externalParameters"]["spec"]["digest"]["sha256"] == std::string(64, '1'));
  CHECK(definition["externalParameters"]["profile"] == "cloud-amd64");
  CHECK(definition["resolvedDependencies"][0]["digest"]["sha256"] == std::string(64, '2'));
  CHECK(definition["resolvedDependencies"][1]["uri"] == "pkg:deb/debian/bash@5.2?arch=amd64&distro=trixie");
  CHECK(definition["resolvedDependencies"][1]["digest"]["sha256"] == std::string(64, '3'));
  CHECK(definition["resolvedDependencies"][2] ==
        Json({{"name", "alice.sieve"}, {"digest", {{"sha256", std::string(64, '7')}}}}));
  CHECK(definition["resolvedDependencies"][3] ==
        Json({{"name", "s1._domainkey.example.org"}, {"digest", {{"sha256", std::string(64, '6')}}}}));
  const Json& version = statement["predicate"]["runDetails"]["builder"]["version"];
  CHECK(version.contains("mailstead"));
  CHECK_FALSE(version["revision"].get<std::string>().empty());
}

TEST_CASE("A statement has nothing of the machine, and another invocation for other inputs") {
  const std::string digest(64, '5');
  BuildResult moved = build_result();
  moved.image = "/elsewhere/demo.img";
  CHECK(provenance_statement("/home/me/mail.yaml", build_result(), digest) ==
        provenance_statement("mail.yaml", moved, digest));
  const auto invocation = [&](const BuildResult& result) {
    const Json statement = Json::parse(provenance_statement("mail.yaml", result, digest));
    return statement["predicate"]["runDetails"]["metadata"]["invocationId"].get<std::string>();
  };
  BuildResult other = build_result();
  SECTION("another spec") {
    other.spec_sha256 = digest;
  }
  SECTION("another lock") {
    other.lock.text_sha256 = digest;
  }
  SECTION("another base") {
    other.base = "other";
  }
  SECTION("another script") {
    other.files["alice.sieve"] = digest;
  }
  SECTION("another key") {
    other.keys[0].sha256 = digest;
  }
  CHECK(invocation(other) != invocation(build_result()));
}
