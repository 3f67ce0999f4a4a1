// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/sbom.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::inspect;

namespace {

using Json = nlohmann::json;

InstalledPackage package(const char* name, const char* version, const char* source,
                         const char* source_version) {
  InstalledPackage package;
  package.record = {
      name, version, "amd64", "debian", std::string("pool/main/") + name + ".deb", std::string(64, 'a'),
      true, true,    false};
  package.dpkg = {version, source, source_version, 1024};
  return package;
}

PublicFacts facts() {
  PublicFacts facts;
  facts.base = {std::string(64, 'b'), "0.1.0", "cloud-amd64", "trixie", "amd64", 1'700'000'000, {}};
  facts.packages = {package("libstdc++6", "14.2.0-19+b1", "gcc-14", "14.2.0-19"),
                    package("gcc-14-base", "14.2.0-19", "gcc-14", "14.2.0-19")};
  return facts;
}

}  // namespace

TEST_CASE("SPDX lists packages, and each source once") {
  const Json document = Json::parse(to_spdx(facts()));
  CHECK(document["spdxVersion"] == "SPDX-2.3");
  CHECK(document["creationInfo"]["created"] == "2023-11-14T22:13:20Z");
  REQUIRE(document["packages"].size() == 4);
  const Json& library = document["packages"][1];
  CHECK(library["name"] == "libstdc++6");
  CHECK(library["SPDXID"].get<std::string>().starts_with("SPDXRef-Package-libstdc--6-"));
  CHECK(library["externalRefs"][0]["referenceLocator"] ==
        "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19%2Bb1?arch=amd64&distro=trixie");
  CHECK(library["checksums"][0]["checksumValue"] == std::string(64, 'a'));
  CHECK(library["sourceInfo"] == "built from gcc-14 14.2.0-19");
  CHECK(library["comment"] == "used in: system,initrd");
  CHECK(document["packages"][3]["name"] == "gcc-14");
  REQUIRE(document["relationships"].size() == 5);
  CHECK(document["relationships"][2]["relationshipType"] == "GENERATED_FROM");
  CHECK(document["relationships"][2]["spdxElementId"] == library["SPDXID"]);
  CHECK(document["relationships"][2]["relatedSpdxElement"] == document["packages"][3]["SPDXID"]);
}

TEST_CASE("CycloneDX lists packages with what they were built from") {
  const Json document = Json::parse(to_cyclonedx(facts()));
  CHECK(document["specVersion"] == "1.6");
  CHECK(document["metadata"]["timestamp"] == "2023-11-14T22:13:20Z");
  REQUIRE(document["components"].size() == 2);
  const Json& library = document["components"][0];
  CHECK(library["purl"] == "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19%2Bb1?arch=amd64&distro=trixie");
  CHECK(library["pedigree"]["ancestors"][0]["purl"] ==
        "pkg:deb/debian/gcc-14@14.2.0-19?arch=source&distro=trixie");
  CHECK(library["hashes"][0]["content"] == std::string(64, 'a'));
  CHECK(document["dependencies"][0]["dependsOn"][0] == library["bom-ref"]);
}

TEST_CASE("Bills depend on the base only, and differ with it") {
  CHECK(to_spdx(facts()) == to_spdx(facts()));
  PublicFacts other = facts();
  other.base.identity = std::string(64, 'c');
  CHECK(Json::parse(to_spdx(other))["documentNamespace"] !=
        Json::parse(to_spdx(facts()))["documentNamespace"]);
  CHECK(Json::parse(to_cyclonedx(other))["serialNumber"] !=
        Json::parse(to_cyclonedx(facts()))["serialNumber"]);
}
