// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "crypto/digest.hpp"
#include "inspect/report.hpp"
#include "inspect/sbom.hpp"
#include "lock/package_url.hpp"

namespace mailstead::inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kNoAssertion = "NOASSERTION";
constexpr const char* kDocument = "SPDXRef-DOCUMENT";
constexpr const char* kBaseId = "SPDXRef-Base";

/// An id has letters, digits, '.' and '-' only (clause 3.2.4); the end tells apart what becomes equal by
/// that.
std::string spdx_id(const char* kind, const std::string& name, const std::string& purl) {
  std::string id = fmt::format("SPDXRef-{}-", kind);
  for (const char c : name) id += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '-';
  return id + "-" + crypto::sha256_hex(purl).substr(0, 12);
}

Json relationship(const std::string& from, const char* type, const std::string& to) {
  return {{"spdxElementId", from}, {"relationshipType", type}, {"relatedSpdxElement", to}};
}

/// What every package has to say, even if it has nothing to say (clauses 7.7, 7.13, 7.15, 7.17).
void add_unasserted(Json& package) {
  package["downloadLocation"] = kNoAssertion;
  package["filesAnalyzed"] = false;
  package["licenseConcluded"] = kNoAssertion;
  package["licenseDeclared"] = kNoAssertion;
  package["copyrightText"] = kNoAssertion;
}

Json debian_package(const std::string& id, const std::string& name, const std::string& version,
                    const std::string& purl) {
  Json package = {
      {"name", name}, {"SPDXID", id}, {"versionInfo", version}, {"supplier", "Organization: Debian"}};
  add_unasserted(package);
  package["externalRefs"] = Json::array(
      {{{"referenceCategory", "PACKAGE-MANAGER"}, {"referenceType", "purl"}, {"referenceLocator", purl}}});
  return package;
}

Json base_package(const image::BaseRecord& base) {
  Json package = {{"name", "mailstead-" + base.profile},
                  {"SPDXID", kBaseId},
                  {"versionInfo", base.identity},
                  {"supplier", kNoAssertion}};
  add_unasserted(package);
  return package;
}

}  // namespace

std::string to_spdx(const PublicFacts& facts) {
  const image::BaseRecord& base = facts.base;
  Json packages = Json::array({base_package(base)});
  Json relationships = Json::array({relationship(kDocument, "DESCRIBES", kBaseId)});
  std::map<std::string, Json> sources;
  for (const auto& [record, dpkg] : facts.packages) {
    const std::string purl = lock::package_url(record.name, record.version, record.architecture, base.suite);
    const std::string source_purl = lock::package_url(dpkg.source, dpkg.source_version, "source", base.suite);
    const std::string id = spdx_id("Package", record.name, purl);
    const std::string source_id = spdx_id("Source", dpkg.source, source_purl);
    Json package = debian_package(id, record.name, record.version, purl);
    package["packageFileName"] = record.pool_path;
    package["checksums"] = Json::array({{{"algorithm", "SHA256"}, {"checksumValue", record.sha256}}});
    package["sourceInfo"] = fmt::format("built from {} {}", dpkg.source, dpkg.source_version);
    package["comment"] = "used in: " + roles_of(record);
    packages.push_back(std::move(package));
    relationships.push_back(relationship(kBaseId, "CONTAINS", id));
    relationships.push_back(relationship(id, "GENERATED_FROM", source_id));
    sources.emplace(source_id, debian_package(source_id, dpkg.source, dpkg.source_version, source_purl));
  }
  for (auto& [id, source] : sources) packages.push_back(std::move(source));

  const std::string name = fmt::format("mailstead-{}-{}", base.profile, base.identity.substr(0, 12));
  // The form that clause 6.5 has for those who publish the document nowhere.
  const std::string name_space =
      fmt::format("https://spdx.org/spdxdocs/{}-{}", name, crypto::derived_uuid(base.identity, "spdx"));
  const Json document = {
      {"spdxVersion", "SPDX-2.3"},
      {"dataLicense", "CC0-1.0"},
      {"SPDXID", kDocument},
      {"name", name},
      {"documentNamespace", name_space},
      {"creationInfo",
       {{"created", utc_time(base.archive_time)},
        {"creators", Json::array({"Tool: mailstead-" + base.mailstead_version})},
        {"comment",
         "The time is that of the package archive, so that the same base has the same document."}}},
      {"packages", std::move(packages)},
      {"relationships", std::move(relationships)}};
  return json_document(document);
}

}  // namespace mailstead::inspect
