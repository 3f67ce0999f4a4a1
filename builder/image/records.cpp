// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "crypto/digest.hpp"
#include "lock/grammar.hpp"

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

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json parts_json(const std::vector<PublicPart>& parts) {
  Json array = Json::array();
  for (const PublicPart& part : parts)
    array.push_back({{"name", part.name}, {"size", part.size}, {"sha256", part.sha256}});
  return array;
}

/// The longest value that an error shows, bytes.
constexpr std::size_t kMostShown = 100;

/// An object of a record, and what errors call it.
class Object {
 public:
  Object(const char* record, std::string prefix, const Json& json)
      : record_(record), prefix_(std::move(prefix)), json_(json) {}

  /// A text that is `valid`; `expected` says what that is.
  Result<std::string> text(const char* field, bool (*valid)(std::string_view), const char* expected) const {
    auto value = json_.at(field).get<std::string>();
    if (!valid(value)) return wrong(field, Json(value), expected);
    return value;
  }
  Result<std::string> digest(const char* field) const {
    return text(field, crypto::is_sha256_hex, "64 lower-case hexadecimal digits");
  }

  const Json& at(const char* field) const { return json_.at(field); }

  /// The objects of a list, called `field`[0] and so on.
  std::vector<Object> list(const std::string& field) const {
    std::vector<Object> objects;
    for (const Json& json : json_.at(field).get_ref<const Json::array_t&>())
      objects.emplace_back(record_, fmt::format("{}{}[{}].", prefix_, field, objects.size()), json);
    return objects;
  }

  tl::unexpected<Error> wrong(const std::string& field, const Json& value, const char* expected) const {
    // With all but ASCII escaped, so that it can be cut anywhere and shown on any terminal.
    std::string shown = value.dump(-1, ' ', true, Json::error_handler_t::replace);
    if (shown.size() > kMostShown) shown = shown.substr(0, kMostShown) + "…";
    return fail(ErrorKind::integrity,
                fmt::format("{}: {}{} is {}, not {}", record_, prefix_, field, shown, expected));
  }

 private:
  const char* record_;
  std::string prefix_;
  const Json& json_;
};

Result<RecordedPackage> package_of(const Object& object) {
  RecordedPackage package;
  TRY(package.name, object.text("name", lock::is_package_name, "the name of a package"));
  TRY(package.version, object.text("version", lock::is_version, "the version of a package"));
  TRY(package.architecture, object.text("architecture", lock::is_plain_name, "an architecture"));
  TRY(package.archive, object.text("archive", lock::is_archive, "\"debian\" or \"debian-security\""));
  TRY(package.pool_path, object.text("path", lock::is_pool_path, "the path of a .deb file below pool/"));
  TRY(package.sha256, object.digest("sha256"));
  const Json& roles = object.at("in");
  for (int bits = 1; bits < 8; ++bits) {
    package.system = (bits & 1) != 0;
    package.initrd = (bits & 2) != 0;
    package.boot = (bits & 4) != 0;
    if (roles_of(package) == roles) return package;
  }
  return object.wrong("in", roles, "some of [\"system\",\"initrd\",\"boot\"], in this order");
}

/// What errors call the record of a disk, which is no file.
constexpr const char* kDiskRecordName = "the record of the disk";

constexpr std::array kParts = {kUsrPart, kKernelPart, kInitrdPart, kEspPart, kMbrPart, kBiosPart};
constexpr std::size_t kSlotParts = 3;  // the first of them

/// The place of a part in the order in which records have them; their number if there is no such part.
std::size_t place_of(std::string_view part) {
  return static_cast<std::size_t>(std::find(kParts.begin(), kParts.end(), part) - kParts.begin());
}

Result<PublicPart> part_of(const Object& object) {
  PublicPart part;
  TRY(part.name, object.text(
                     "name", [](std::string_view name) { return place_of(name) < kParts.size(); },
                     "the name of a part"));
  // By reference, which takes integers only: get() would convert a fraction of any size.
  part.size = object.at("size").get_ref<const Json::number_unsigned_t&>();
  if (part.size == 0) return object.wrong("size", 0, "the size of a part");
  TRY(part.sha256, object.digest("sha256"));
  return part;
}

/// What can stand on the kernel's command line without adding another line to GRUB's configuration.
bool is_kernel_argument(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Result<BaseRecord> base_record_of(const Json& json) {
  const Object object(kBaseRecordPath, "", json);
  BaseRecord record;
  TRY(record.identity, object.digest("identity"));
  TRY(record.mailstead_version, object.text("mailstead", lock::is_version, "a version"));
  TRY(record.profile, object.text("profile", lock::is_plain_name, "the name of a profile"));
  TRY(record.suite, object.text("suite", lock::is_plain_name, "the name of a suite"));
  TRY(record.architecture, object.text("architecture", lock::is_plain_name, "an architecture"));
  record.archive_time = object.at("archive_time").get_ref<const Json::number_integer_t&>();
  if (!lock::is_archive_time(record.archive_time))
    return object.wrong("archive_time", object.at("archive_time"),
                        "a possible time of an archive (seconds since 1970)");
  record.state_format = object.at("state_format").get_ref<const Json::number_integer_t&>();
  if (record.state_format < 1 || record.state_format > 9999)
    return object.wrong("state_format", object.at("state_format"), "a number from 1 to 9999");
  for (const Object& one : object.list("packages")) {
    TRY(RecordedPackage package, package_of(one));
    if (!record.packages.empty()) {
      const RecordedPackage& last = record.packages.back();
      if (std::tie(package.name, package.architecture) <= std::tie(last.name, last.architecture))
        return one.wrong("name", package.name, "behind that of the package before it");
    }
    record.packages.push_back(std::move(package));
  }
  return record;
}

/// The parts of a record, which are some of kParts from `first` up to `end`, and all of `needed`.
Result<std::vector<PublicPart>> parts_of(const Object& object, const char* record, std::size_t first,
                                         std::size_t end, const std::vector<const char*>& needed) {
  std::vector<PublicPart> parts;
  for (const Object& one : object.list("parts")) {
    TRY(PublicPart part, part_of(one));
    if (const std::size_t place = place_of(part.name); place < first || place >= end)
      return one.wrong("name", part.name, "the name of a part that belongs here");
    if (!parts.empty() && place_of(part.name) <= place_of(parts.back().name))
      return one.wrong("name", part.name, "behind that of the part before it");
    parts.push_back(std::move(part));
  }
  for (const char* name : needed)
    if (find_part(parts, name) == nullptr)
      return fail(ErrorKind::integrity, fmt::format("{}: parts lacks \"{}\"", record, name));
  return parts;
}

Result<DiskRecord> disk_record_of(const Json& json) {
  const Object object(kDiskRecordName, "", json);
  DiskRecord record;
  TRY(record.base, object.digest("base"));
  TRY(const std::string architecture, object.text("architecture", lock::is_plain_name, "an architecture"));
  const auto known = platform::architecture_called(architecture);
  if (!known) return object.wrong("architecture", architecture, "an architecture of an appliance");
  platform::Machine& machine = record.layout.machine;
  machine.architecture = *known;
  machine.boot.clear();
  const auto boot = object.at("boot").get<std::vector<std::string>>();
  for (std::size_t i = 0; i < boot.size(); ++i) {
    const auto method = platform::boot_method_called(boot[i]);
    if (!method) return object.wrong(fmt::format("boot[{}]", i), boot[i], "a way to start a machine");
    machine.boot.push_back(*method);
  }
  const Json& sizes = object.at("partitions");
  for (const auto& [name, size] : {std::pair("esp", &record.layout.esp_size),
                                   {"boot", &record.layout.boot_size},
                                   {"usr", &record.layout.usr_size},
                                   {"root", &record.layout.root_size}})
    *size = sizes.at(name).get_ref<const Json::number_unsigned_t&>();
  TRY(record.parts, parts_of(object, kDiskRecordName, kSlotParts, kParts.size(), {kEspPart}));
  if ((find_part(record.parts, kMbrPart) == nullptr) != (find_part(record.parts, kBiosPart) == nullptr))
    return fail(ErrorKind::integrity,
                fmt::format("{}: parts has one of \"{}\" and \"{}\", which belong together", kDiskRecordName,
                            kMbrPart, kBiosPart));
  return record;
}

Result<SlotRecord> slot_record_of(const Json& json) {
  const Object object(kSlotRecordPath, "", json);
  SlotRecord record;
  TRY(record.base, object.digest("base"));
  TRY(record.usr_root_hash, object.digest("usr_root_hash"));
  TRY(record.parts, parts_of(object, kSlotRecordPath, 0, kSlotParts, {kUsrPart, kKernelPart, kInitrdPart}));
  TRY(record.disk_sha256, object.digest("disk"));
  record.kernel_arguments = object.at("kernel_arguments").get<std::vector<std::string>>();
  for (std::size_t i = 0; i < record.kernel_arguments.size(); ++i)
    if (!is_kernel_argument(record.kernel_arguments[i]))
      return object.wrong(fmt::format("kernel_arguments[{}]", i), record.kernel_arguments[i],
                          "a word for the kernel's command line");
  return record;
}

/// A record has some hundred kilobytes and lists in lists of objects. What is larger or deeper is not parsed:
/// a bracket becomes many times its size in memory.
constexpr std::size_t kMostText = 1u << 20;
constexpr int kDeepest = 4;

struct TooDeep : std::exception {
  const char* what() const noexcept override { return "it is nested too deeply"; }
};

/// What `read` makes of the parsed text; whatever it does not find is one error.
template <class Record>
Result<Record> parse(std::string_view text, const char* what, Result<Record> (*read)(const Json&)) {
  const auto refuse = [&](const char* why) {
    return fail(ErrorKind::integrity, fmt::format("{} is not what Mailstead writes: {}", what, why));
  };
  if (text.size() > kMostText) return refuse("it is too long");
  try {
    return read(Json::parse(text, [](int depth, Json::parse_event_t, const Json&) {
      if (depth > kDeepest) throw TooDeep();
      return true;
    }));
  } catch (const TooDeep& error) {
    return refuse(error.what());
  } catch (const Json::exception& error) {
    return refuse(error.what());
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
               {"state_format", record.state_format},
               {"packages", std::move(packages)}});
}

const PublicPart* find_part(const std::vector<PublicPart>& parts, std::string_view name) {
  const auto found =
      std::find_if(parts.begin(), parts.end(), [&](const PublicPart& part) { return part.name == name; });
  return found == parts.end() ? nullptr : &*found;
}

std::vector<PublicPart> slot_parts(const std::vector<PublicPart>& parts) {
  std::vector<PublicPart> some;
  for (const PublicPart& part : parts)
    if (place_of(part.name) < kSlotParts) some.push_back(part);
  return some;
}

std::vector<PublicPart> disk_parts(const std::vector<PublicPart>& parts) {
  std::vector<PublicPart> some;
  for (const PublicPart& part : parts)
    if (place_of(part.name) >= kSlotParts) some.push_back(part);
  return some;
}

std::string to_json(const SlotRecord& record) {
  return dump({{"base", record.base},
               {"usr_root_hash", record.usr_root_hash},
               {"parts", parts_json(record.parts)},
               {"kernel_arguments", record.kernel_arguments},
               {"disk", record.disk_sha256}});
}

std::string to_json(const DiskRecord& record) {
  const Layout& layout = record.layout;
  return dump({{"base", record.base},
               {"architecture", platform::facts_of(layout.machine.architecture).debian},
               {"boot", platform::names_of(layout.machine.boot)},
               {"partitions",
                {{"esp", layout.esp_size},
                 {"boot", layout.boot_size},
                 {"usr", layout.usr_size},
                 {"root", layout.root_size}}},
               {"parts", parts_json(record.parts)}});
}

Result<BaseRecord> read_base_record(std::string_view json) {
  return parse(json, kBaseRecordPath, base_record_of);
}

Result<SlotRecord> read_slot_record(std::string_view json) {
  return parse(json, kSlotRecordPath, slot_record_of);
}

std::string_view disk_record_text(std::string_view room) {
  return room.substr(0, room.find_last_not_of('\0') + 1);
}

Result<DiskRecord> read_disk_record(std::string_view room) {
  return parse(disk_record_text(room), kDiskRecordName, disk_record_of);
}

}  // namespace mailstead::image
