// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "lock/grammar.hpp"
#include "overlay/read.hpp"
#include "profile/profile.hpp"
#include "text/size.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::profile {
namespace {

namespace read = overlay::read;

/// "512 MiB" in bytes. Partitions start and end on mebibytes, so no other unit is needed.
std::uint64_t read_size(const yaml::Value& value, yaml::Problems& problems) {
  const auto text = value.as_string(problems);
  if (!text) return 0;
  constexpr std::string_view kUnit = " MiB";
  constexpr std::uint64_t kMost = 1ull << 50;
  const std::string_view number(text->data(), text->size() - (text->ends_with(kUnit) ? kUnit.size() : 0));
  const auto size = text::parse_size(fmt::format("{}M", number));
  if (number.size() == text->size() || !size || *size == 0 || *size > kMost) {
    problems.add(value.error(fmt::format("'{}' is not a partition size", *text), "write it as in '512 MiB'"));
    return 0;
  }
  return *size;
}

/// What a list of a profile adds to that of the profile that it includes.
void add_texts(yaml::MapReader& map, std::string_view key, bool all, std::vector<std::string>& list,
               yaml::Problems& problems) {
  const auto value = all ? map.require(key) : map.take(key);
  if (!value) return;
  for (std::string& text : value->as_strings(problems)) list.push_back(std::move(text));
}

void add_packages(yaml::MapReader& map, std::string_view key, bool all, std::vector<std::string>& names,
                  yaml::Problems& problems) {
  const auto list = all ? map.require(key) : map.take(key);
  if (!list) return;
  for (const yaml::Value& value : list->as_list(problems)) {
    auto name = value.as_string(problems);
    if (!name) continue;
    if (!lock::is_package_name(*name)) {
      problems.add(value.error(fmt::format("'{}' is not a package name", *name)));
    } else if (std::find(names.begin(), names.end(), *name) != names.end()) {
      problems.add(value.error(fmt::format("package '{}' is listed twice", *name)));
    } else {
      names.push_back(*std::move(name));
    }
  }
}

void read_partitions(const yaml::Value& value, Profile& profile, yaml::Problems& problems) {
  yaml::MapReader map(value, problems);
  const auto size = [&](std::string_view key) {
    const auto entry = map.require(key);
    return entry ? read_size(*entry, problems) : 0;
  };
  profile.esp_size = size("esp");
  profile.boot_size = size("boot");
  profile.usr_size = size("usr");
  profile.root_size = size("root");
  map.finish();
}

void read_alternatives(const yaml::Value& value, Profile& profile, yaml::Problems& problems) {
  yaml::MapReader map(value, problems);
  for (const auto& entry : map.take_all()) {
    const auto link = entry.key.as_string(problems);
    const auto target = entry.value.as_string(problems);
    if (!link || !target) continue;
    if (link->empty() || link->front() == '/') {
      problems.add(entry.key.error(fmt::format("'{}' must be relative to the root directory", *link)));
    } else if (target->empty() || target->front() != '/') {
      problems.add(entry.value.error(fmt::format("'{}' must be an absolute path", *target)));
    } else {
      profile.alternatives.emplace(*link, *target);
    }
  }
}

void read_diversions(const yaml::Value& value, Profile& profile, yaml::Problems& problems) {
  yaml::MapReader map(value, problems);
  for (const auto& entry : map.take_all()) {
    const auto path = entry.key.as_string(problems);
    yaml::MapReader fields(entry.value, problems);
    Diversion diversion;
    diversion.to = read::text(fields, "to", problems);
    diversion.package = read::text(fields, "package", problems);
    fields.finish();
    if (!path) continue;
    if (path->starts_with('/') || diversion.to.starts_with('/'))
      problems.add(entry.key.error("paths of diversions must be relative to the root directory"));
    else
      profile.diversions.emplace(*path, std::move(diversion));
  }
}

/// Profile names are file names below profiles/, so that nothing else can be opened by one.
std::vector<std::string> profile_names(const std::filesystem::path& data) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(data / "profiles", error), end; !error && it != end;
       it.increment(error)) {
    const auto& path = it->path();
    const std::string name = path.stem().string();
    if (path.extension() == ".yaml") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void read_lists(yaml::MapReader& map, bool all, Profile& profile, yaml::Problems& problems) {
  add_texts(map, "overlays", all, profile.overlays, problems);
  add_texts(map, "exclude", all, profile.exclude, problems);
  add_texts(map, "keep", all, profile.keep, problems);
  add_texts(map, "kernel_arguments", all, profile.kernel_arguments, problems);
  if (const auto value = all ? map.require("packages") : map.take("packages")) {
    yaml::MapReader packages(*value, problems);
    add_packages(packages, "system", false, profile.system_packages, problems);
    add_packages(packages, "initrd", false, profile.initrd_packages, problems);
    add_packages(packages, "tools", all, profile.tool_packages, problems);
    add_packages(packages, "boot", all, profile.boot_packages, problems);
    packages.finish();
  }
  if (const auto value = all ? map.require("initrd") : map.take("initrd")) {
    yaml::MapReader initrd(*value, problems);
    add_texts(initrd, "exclude", all, profile.initrd_exclude, problems);
    add_texts(initrd, "modules", all, profile.initrd_modules, problems);
    initrd.finish();
  }
}

void read_architecture(const yaml::Value& value, Profile& profile, yaml::Problems& problems) {
  const auto name = value.as_string(problems);
  if (!name) return;
  const auto architecture = platform::architecture_called(*name);
  if (!architecture) {
    problems.add(value.error(fmt::format("there is no architecture '{}'", *name),
                             fmt::format("these are known: {}", platform::architecture_names())));
    return;
  }
  profile.architecture = *name;
  profile.machine.architecture = *architecture;
}

void read_boot_methods(const yaml::Value& value, Profile& profile, yaml::Problems& problems) {
  profile.machine.boot.clear();
  for (const yaml::Value& one : value.as_list(problems)) {
    const auto name = one.as_string(problems);
    if (!name) continue;
    if (const auto method = platform::boot_method_called(*name))
      profile.machine.boot.push_back(*method);
    else
      problems.add(one.error(fmt::format("nothing is called '{}' that starts a machine", *name)));
  }
}

/// What only one file of a profile says: all of it, unless another is included that has. A file that is
/// included leaves to others for which machine the profile is.
void read_scalars(yaml::MapReader& map, bool all, bool included, Profile& profile, yaml::Problems& problems) {
  profile.description = read::text(map, "description", problems);
  if (all) profile.suite = read::text(map, "suite", problems);
  if (const auto value = all && !included ? map.require("architecture") : map.take("architecture"))
    read_architecture(*value, profile, problems);
  if (const auto value = all && !included ? map.require("starts_by") : map.take("starts_by"))
    read_boot_methods(*value, profile, problems);
  if (const auto value = all ? map.require("partitions") : std::nullopt)
    read_partitions(*value, profile, problems);
  if (const auto value = all ? map.require("squashfs") : std::nullopt) {
    yaml::MapReader squashfs(*value, problems);
    profile.squashfs_compressor = read::text(squashfs, "compressor", problems);
    profile.squashfs_level = static_cast<int>(read::integer(squashfs, "level", 1, 22, problems));
    squashfs.finish();
  }
  if (const auto value = map.take("alternatives")) read_alternatives(*value, profile, problems);
  if (const auto value = map.take("diversions")) read_diversions(*value, profile, problems);
}

/// A file of a profile, after the one that it includes, to whose lists it adds.
Status read_layer(const std::filesystem::path& data, const std::string& file, bool included,
                  Profile& profile) {
  constexpr std::size_t kMostFiles = 4;
  TRY(const auto document, yaml::Document::load(data / file));
  yaml::Problems problems;
  yaml::MapReader map(document.root(), problems);
  const auto include = map.take("include");
  if (include) {
    const std::string name = include->as_string(problems).value_or("");
    if (!lock::is_plain_name(name) || profile.files.size() + 1 >= kMostFiles)
      return fail(include->error(fmt::format("'{}' cannot be included", name),
                                 "name a file of profiles/common/ without its .yaml"));
    profile.files.push_back(file);
    CHECK_OK(read_layer(data, "profiles/common/" + name + ".yaml", true, profile));
  } else {
    profile.files.push_back(file);
  }
  read_scalars(map, !include, included, profile, problems);
  read_lists(map, !include, profile, problems);
  map.finish();
  return std::move(problems).finish();
}

/// Two overlays may need the same package.
void add_missing(const std::vector<std::string>& names, std::vector<std::string>& list) {
  for (const std::string& name : names)
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
}

Status check_machine(const Profile& profile) {
  const auto refuse = [&](std::string message, const char* hint) {
    return fail(ErrorKind::usage, fmt::format("the profile {} {}", profile.name, message), hint);
  };
  if (profile.architecture.empty() || profile.machine.boot.empty())
    return refuse("does not say for which machine it is", "give it 'architecture' and 'starts_by'");
  for (const platform::BootMethod method : profile.machine.boot)
    if (!platform::fits(method, profile.machine.architecture))
      return refuse(fmt::format("has {}, which starts no machine with {}", platform::name_of(method),
                                profile.architecture),
                    "take it out of 'starts_by'");
  return ok();
}

/// The serial console has another name on each architecture: in profiles it is $serial.
void name_console(Profile& profile) {
  constexpr std::string_view kName = "$serial";
  for (std::string& argument : profile.kernel_arguments)
    if (const auto at = argument.find(kName); at != std::string::npos)
      argument.replace(at, kName.size(), platform::facts_of(profile.machine.architecture).serial_console);
}

}  // namespace

Result<Profile> load_profile(const std::filesystem::path& data, const std::string& name) {
  const auto names = profile_names(data);
  if (!lock::is_plain_name(name) || std::find(names.begin(), names.end(), name) == names.end()) {
    const auto near = yaml::nearest(name, names);
    std::string known;
    for (const std::string& each : names) known += (known.empty() ? "" : ", ") + each;
    return fail(ErrorKind::usage,
                fmt::format("there is no profile '{}'{}", name,
                            near ? fmt::format("; did you mean '{}'?", *near) : ""),
                known.empty() ? fmt::format("there are no profiles in {}", (data / "profiles").string())
                              : fmt::format("the profiles are: {}", known));
  }
  Profile profile;
  profile.name = name;
  CHECK_OK(read_layer(data, "profiles/" + name + ".yaml", false, profile));
  CHECK_OK(check_machine(profile));
  name_console(profile);
  return profile;
}

lock::Request make_request(const Profile& profile, const std::vector<overlay::Overlay>& overlays,
                           const std::vector<overlay::Overlay>& initrd_overlays,
                           const overlay::Accounts& accounts, const std::string& host_architecture) {
  lock::Request request;
  request.suite = profile.suite;
  request.architecture = profile.architecture;
  request.host_architecture = host_architecture;
  request.system = profile.system_packages;
  for (const overlay::Overlay& each : overlays) add_missing(each.packages, request.system);
  request.initrd = profile.initrd_packages;
  for (const overlay::Overlay& each : initrd_overlays) add_missing(each.packages, request.initrd);
  request.tools = profile.tool_packages;
  request.boot = profile.boot_packages;
  for (const overlay::User& user : accounts.users) request.users.push_back({user.name, user.uid});
  for (const overlay::Group& group : accounts.groups) request.groups.push_back({group.name, group.gid});
  const auto by_name = [](const lock::FixedId& a, const lock::FixedId& b) { return a.name < b.name; };
  std::sort(request.users.begin(), request.users.end(), by_name);
  std::sort(request.groups.begin(), request.groups.end(), by_name);
  return request;
}

}  // namespace mailstead::profile
