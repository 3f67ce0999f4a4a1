// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/records.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

namespace mailstead::image {
namespace {

using Json = nlohmann::ordered_json;

Json roles_of(const RecordedPackage& package) {
  Json roles = Json::array();
  if (package.system) roles.push_back("system");
  if (package.initrd) roles.push_back("initrd");
  if (package.boot) roles.push_back("boot");
  return roles;
}

RecordedPackage package_of(const Json& json) {
  RecordedPackage package;
  package.name = json.at("name").get<std::string>();
  package.version = json.at("version").get<std::string>();
  package.architecture = json.at("architecture").get<std::string>();
  package.archive = json.at("archive").get<std::string>();
  package.pool_path = json.at("path").get<std::string>();
  package.sha256 = json.at("sha256").get<std::string>();
  for (const Json& role : json.at("in")) {
    const auto name = role.get<std::string>();
    package.system = package.system || name == "system";
    package.initrd = package.initrd || name == "initrd";
    package.boot = package.boot || name == "boot";
  }
  return package;
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Calls `read` with the parsed text; whatever it does not find is one error.
template <class Record, class Read>
Result<Record> parse(std::string_view text, const char* what, Read read) {
  try {
    Record record;
    read(Json::parse(text), record);
    return record;
  } catch (const Json::exception& error) {
    return fail(ErrorKind::integrity, fmt::format("{} is not what Mailstead writes: {}", what, error.what()));
  }
}

}  // namespace

std::string to_json(const BaseRecord& record) {
  Json packages = Json::array();
  for (const RecordedPackage& package : record.packages) {
    packages.push_back({{"name", package.name},
                        {"version", package.version},
                        {"architecture", package.architecture},
                        {"archive", package.archive},
                        {"path", package.pool_path},
                        {"sha256", package.sha256},
                        {"in", roles_of(package)}});
  }
  return dump({{"identity", record.identity},
               {"mailstead", record.mailstead_version},
               {"profile", record.profile},
               {"suite", record.suite},
               {"architecture", record.architecture},
               {"archive_time", record.archive_time},
               {"packages", std::move(packages)}});
}

std::string to_json(const ImageRecord& record) {
  Json parts = Json::array();
  for (const PublicPart& part : record.parts)
    parts.push_back({{"name", part.name}, {"size", part.size}, {"sha256", part.sha256}});
  return dump({{"base", record.base},
               {"usr_root_hash", record.usr_root_hash},
               {"parts", std::move(parts)},
               {"kernel_arguments", record.kernel_arguments}});
}

Result<BaseRecord> read_base_record(std::string_view json) {
  return parse<BaseRecord>(json, kBaseRecordPath, [](const Json& object, BaseRecord& record) {
    record.identity = object.at("identity").get<std::string>();
    record.mailstead_version = object.at("mailstead").get<std::string>();
    record.profile = object.at("profile").get<std::string>();
    record.suite = object.at("suite").get<std::string>();
    record.architecture = object.at("architecture").get<std::string>();
    // By reference, which takes integers only: get() would convert a fraction of any size.
    record.archive_time = object.at("archive_time").get_ref<const Json::number_integer_t&>();
    for (const Json& package : object.at("packages")) record.packages.push_back(package_of(package));
  });
}

Result<ImageRecord> read_image_record(std::string_view json) {
  return parse<ImageRecord>(json, kImageRecordPath, [](const Json& object, ImageRecord& record) {
    record.base = object.at("base").get<std::string>();
    record.usr_root_hash = object.at("usr_root_hash").get<std::string>();
    for (const Json& part : object.at("parts"))
      record.parts.push_back({part.at("name").get<std::string>(),
                              part.at("size").get_ref<const Json::number_unsigned_t&>(),
                              part.at("sha256").get<std::string>()});
    record.kernel_arguments = object.at("kernel_arguments").get<std::vector<std::string>>();
  });
}

}  // namespace mailstead::image
