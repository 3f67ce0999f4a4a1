// SPDX-License-Identifier: GPL-3.0-or-later
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "crypto/digest.hpp"
#include "inspect/report.hpp"
#include "inspect/sbom.hpp"
#include "lock/package_url.hpp"

namespace mailstead::inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kBaseRef = "base";

Json component_of(const InstalledPackage& package, const std::string& purl, const std::string& suite) {
  const auto& [record, dpkg] = package;
  const Json source = {
      {"type", "library"},
      {"name", dpkg.source},
      {"version", dpkg.source_version},
      {"purl", lock::package_url(dpkg.source, dpkg.source_version, "source", suite)},
  };
  return {{"type", "library"},
          {"bom-ref", purl},
          {"supplier", {{"name", "Debian"}}},
          {"name", record.name},
          {"version", record.version},
          {"hashes", Json::array({{{"alg", "SHA-256"}, {"content", record.sha256}}})},
          {"purl", purl},
          {"pedigree", {{"ancestors", Json::array({source})}}},
          {"properties", Json::array({{{"name", "mailstead:in"}, {"value", roles_of(record)}},
                                      {{"name", "mailstead:pool-path"}, {"value", record.pool_path}}})}};
}

}  // namespace

std::string to_cyclonedx(const PublicFacts& facts) {
  const image::BaseRecord& base = facts.base;
  Json components = Json::array();
  Json contained = Json::array();
  for (const InstalledPackage& package : facts.packages) {
    const auto& record = package.record;
    const std::string purl = lock::package_url(record.name, record.version, record.architecture, base.suite);
    components.push_back(component_of(package, purl, base.suite));
    contained.push_back(purl);
  }
  const Json tool = {{"type", "application"}, {"name", "mailstead"}, {"version", base.mailstead_version}};
  const Json document = {
      {"$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json"},
      {"bomFormat", "CycloneDX"},
      {"specVersion", "1.6"},
      {"serialNumber", "urn:uuid:" + crypto::derived_uuid(base.identity, "cyclonedx")},
      {"version", 1},
      {"metadata",
       {{"timestamp", utc_time(base.archive_time)},
        {"tools", {{"components", Json::array({tool})}}},
        {"component",
         {{"type", "operating-system"},
          {"bom-ref", kBaseRef},
          {"name", "mailstead-" + base.profile},
          {"version", base.identity}}}}},
      {"components", std::move(components)},
      {"dependencies", Json::array({{{"ref", kBaseRef}, {"dependsOn", std::move(contained)}}})}};
  return json_document(document);
}

}  // namespace mailstead::inspect
