// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/provenance.hpp"

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/revision.hpp"
#include "crypto/digest.hpp"
#include "lock/package_url.hpp"

namespace mailstead::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// What the parameters below mean. Raised when they change.
constexpr const char* kBuildType = "urn:mailstead:build:1";
constexpr const char* kBuilder = "urn:mailstead:builder:1";

Json with_digest(Json descriptor, std::string_view sha256) {
  descriptor["digest"] = {{"sha256", sha256}};
  return descriptor;
}

Json subjects(const BuildResult& result, std::string_view image_sha256) {
  Json array = Json::array({with_digest({{"name", result.image.filename().string()}}, image_sha256)});
  for (const image::PublicPart& part : result.parts)
    array.push_back(with_digest({{"name", "base/" + part.name}}, part.sha256));
  return array;
}

Json dependencies(const BuildResult& result) {
  Json array = Json::array({with_digest({{"name", "mailstead.lock"}}, result.lock.text_sha256)});
  for (const lock::Package& package : result.lock.packages) {
    array.push_back(with_digest(
        {{"name", package.name},
         {"uri", lock::package_url(package.name, package.version, package.architecture, result.lock.suite)}},
        package.sha256));
  }
  for (const auto& [name, sha256] : result.files) array.push_back(with_digest({{"name", name}}, sha256));
  // Of private keys what everybody may know, so that the digest gives nothing away.
  for (const PublicKey& key : result.keys) array.push_back(with_digest({{"name", key.name}}, key.sha256));
  return array;
}

}  // namespace

std::string provenance_statement(const std::filesystem::path& spec, const BuildResult& result,
                                 std::string_view image_sha256) {
  const Json inputs = dependencies(result);
  const Json definition = {{"buildType", kBuildType},
                           {"externalParameters",
                            {{"spec", with_digest({{"name", spec.filename().string()}}, result.spec_sha256)},
                             {"profile", result.profile}}},
                           {"internalParameters", {{"base", result.base}}},
                           {"resolvedDependencies", inputs}};
  // Who builds the same again has the same invocation.
  const std::string scope = result.spec_sha256 + result.base + inputs.dump();
  const Json details = {
      {"builder",
       {{"id", kBuilder}, {"version", {{"mailstead", MAILSTEAD_VERSION}, {"revision", kRevision}}}}},
      {"metadata", {{"invocationId", "urn:uuid:" + crypto::derived_uuid(scope, "provenance")}}}};
  const Json statement = {{"_type", "https://in-toto.io/Statement/v1"},
                          {"subject", subjects(result, image_sha256)},
                          {"predicateType", "https://slsa.dev/provenance/v1"},
                          {"predicate", {{"buildDefinition", definition}, {"runDetails", details}}}};
  return json_document(statement);
}

Status write_provenance(const std::filesystem::path& spec, const BuildResult& result,
                        const std::filesystem::path& file, Reporter& reporter) {
  const auto activity = reporter.start("Hashing the image");
  TRY(const std::string digest, crypto::sha256_file_hex(result.image));
  CHECK_OK(write_file(file, provenance_statement(spec, result, digest)));
  activity->set_result(file.string());
  return ok();
}

}  // namespace mailstead::pipeline
