// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/printable.hpp"
#include "inspect/scale.hpp"

namespace mailstead::inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kIndent = 11;
constexpr std::size_t kMostLargest = 5;

/// A line "name       value", as all others.
std::string line(std::string_view name, std::string_view value) {
  return fmt::format("{:<11}{}\n", name, value);
}

/// Words one after the other, wrapped at `width`, below the first.
std::string wrapped(std::string_view name, const std::vector<std::string>& words, std::size_t width) {
  std::string text;
  std::string current;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = printable(words[i]) + (i + 1 < words.size() ? "," : "");
    if (!current.empty() && kIndent + current.size() + 1 + word.size() > width) {
      text += line(text.empty() ? name : "", current);
      current.clear();
    }
    current += (current.empty() ? "" : " ") + word;
  }
  return text + line(text.empty() ? name : "", current.empty() ? "none" : current);
}

std::string_view short_label(std::string_view label) {
  constexpr std::string_view kPrefix = "mailstead-";
  if (label.starts_with(kPrefix)) label.remove_prefix(kPrefix.size());
  return label;
}

std::string draw_partitions(const Appliance& appliance, std::size_t width) {
  std::vector<Segment> segments;
  std::uint64_t end = 0;
  const auto add_room = [&](std::uint64_t until) {
    // Less than a column: alignment and the tables themselves.
    if (until > end && (until - end) * width > appliance.size) segments.push_back({"", until - end, 0});
  };
  for (const auto& [partition, measured] : appliance.partitions) {
    add_room(partition.start);
    segments.push_back({fmt::format("{}", partition.number), partition.size, measured ? measured->used : 0});
    end = partition.start + partition.size;
  }
  add_room(appliance.size);
  const Scale scale = draw_to_scale(segments, width);
  std::string text = scale.bar + "\n" + scale.names + "\n";
  text += fmt::format("{:>2} {:<12}{:>9}{:>9}{:>9}  {}\n", "", "partition", "start", "size", "used",
                      "SHA-256 of what is used");
  for (const auto& [partition, measured] : appliance.partitions) {
    const bool in_use = measured && measured->used > 0;
    text += fmt::format("{:>2} {:<12}{:>9}{:>9}{:>9}  {}\n", partition.number,
                        printable(short_label(partition.label)), human_size(partition.start),
                        human_size(partition.size), in_use ? human_size(measured->used) : "-",
                        in_use     ? measured->sha256.substr(0, 32)
                        : measured ? "-"
                                   : "not hashed: it changes as the machine runs");
  }
  return text;
}

std::string describe_slot(const Slot& slot) {
  const std::string name = fmt::format("slot {}", slot.name);
  if (!slot.filled) return line(name, "empty");
  std::string text =
      line(name, fmt::format("{}kernel {}", slot.first ? "starts first, " : "",
                             slot.kernel_release.empty() ? "unknown" : printable(slot.kernel_release)));
  const auto add = [&](const char* hash_name, const std::string& hash, const std::string* measured) {
    const char* mark = measured == nullptr ? " (not measured)" : "";
    text += line(hash_name, fmt::format(" {}{}", hash.empty() ? "none" : printable(hash), mark));
    if (measured != nullptr && *measured != hash)
      text += line("   measured", fmt::format(" {}: NOT THE SAME", *measured));
  };
  add("  root hash", slot.root_hash, slot.measured ? &slot.measured->root : nullptr);
  add("  usr hash", slot.usr_hash, slot.measured ? &slot.measured->usr : nullptr);
  return text;
}

std::vector<const InstalledPackage*> largest_first(const std::vector<InstalledPackage>& packages) {
  std::vector<const InstalledPackage*> sorted;
  for (const InstalledPackage& package : packages) sorted.push_back(&package);
  std::stable_sort(sorted.begin(), sorted.end(), [](const InstalledPackage* a, const InstalledPackage* b) {
    return a->dpkg.installed > b->dpkg.installed;
  });
  return sorted;
}

std::uint64_t installed_size(const std::vector<InstalledPackage>& packages) {
  std::uint64_t sum = 0;
  for (const InstalledPackage& package : packages) sum += package.dpkg.installed;
  return sum;
}

std::string describe_packages(const std::vector<InstalledPackage>& packages, std::size_t width) {
  std::string text = line("packages", fmt::format("{}, {} installed (--packages lists them)", packages.size(),
                                                  human_size(installed_size(packages))));
  std::vector<std::string> largest;
  for (const InstalledPackage* package : largest_first(packages)) {
    if (largest.size() == kMostLargest) break;
    largest.push_back(package->record.name + " " + human_size(package->dpkg.installed));
  }
  return text + wrapped("largest", largest, width);
}

std::string list_packages(const std::vector<InstalledPackage>& packages) {
  std::string text;
  for (const InstalledPackage& package : packages) {
    text += fmt::format("{:<36} {:<28} {:<6} {:>8}  {}\n", package.record.name, package.record.version,
                        package.record.architecture, human_size(package.dpkg.installed),
                        roles_of(package.record));
  }
  return text;
}

std::vector<std::string> ports_in_words(const std::vector<OpenPort>& ports) {
  std::vector<std::string> words;
  for (const OpenPort& port : ports) {
    std::string word = port.ports + (port.protocol == "udp" ? "/udp" : "");
    if (!port.comment.empty()) word += " (" + port.comment + ")";
    words.push_back(std::move(word));
  }
  return words;
}

Json packages_json(const std::vector<InstalledPackage>& packages) {
  Json array = Json::array();
  for (const InstalledPackage& package : packages) {
    array.push_back({{"name", package.record.name},
                     {"version", package.record.version},
                     {"architecture", package.record.architecture},
                     {"source", package.dpkg.source},
                     {"source_version", package.dpkg.source_version},
                     {"installed_size", package.dpkg.installed},
                     {"sha256", package.record.sha256},
                     {"in", roles_of(package.record)}});
  }
  return array;
}

Json partitions_json(const std::vector<MeasuredPartition>& partitions) {
  Json array = Json::array();
  for (const auto& [partition, measured] : partitions) {
    array.push_back(
        {{"number", partition.number},
         {"label", partition.label},
         {"type", partition.type},
         {"uuid", partition.uuid},
         {"start", partition.start},
         {"size", partition.size},
         {"used", measured ? Json(measured->used) : Json(nullptr)},
         {"sha256_used", measured && measured->used > 0 ? Json(measured->sha256) : Json(nullptr)}});
  }
  return array;
}

Json slots_json(const std::vector<Slot>& slots) {
  Json array = Json::array();
  for (const Slot& slot : slots) {
    Json object = {{"name", std::string(1, slot.name)}, {"filled", slot.filled}, {"first", slot.first}};
    if (slot.filled) {
      object["kernel_release"] = slot.kernel_release;
      object["root_hash"] = slot.root_hash;
      object["measured_root_hash"] = slot.measured ? Json(slot.measured->root) : Json(nullptr);
      object["usr_hash"] = slot.usr_hash;
      object["measured_usr_hash"] = slot.measured ? Json(slot.measured->usr) : Json(nullptr);
      object["command_line"] = slot.command_line;
    }
    array.push_back(std::move(object));
  }
  return array;
}

Json boot_state_json(const std::optional<image::BootState>& state) {
  if (!state) return nullptr;
  return {{"slot", std::string(1, state->slot)},
          {"trial", state->trial ? Json(std::string(1, *state->trial)) : Json(nullptr)},
          {"tries_left", state->tries}};
}

Json ports_json(const std::vector<OpenPort>& ports) {
  Json array = Json::array();
  for (const OpenPort& port : ports)
    array.push_back({{"protocol", port.protocol}, {"ports", port.ports}, {"comment", port.comment}});
  return array;
}

}  // namespace

std::string utc_time(std::int64_t time) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(static_cast<std::time_t>(time)));
}

std::string roles_of(const image::RecordedPackage& package) {
  std::string roles;
  const auto add = [&](bool has, const char* name) {
    if (has) roles += (roles.empty() ? "" : ",") + std::string(name);
  };
  add(package.system, "system");
  add(package.initrd, "initrd");
  add(package.boot, "boot");
  return roles;
}

std::string describe(const Appliance& appliance, std::size_t width, bool packages) {
  const image::BaseRecord& base = appliance.facts.base;
  if (packages) return list_packages(appliance.facts.packages);
  std::string text =
      line("image", fmt::format("{}, {}", printable(appliance.file), human_size(appliance.size)));
  text += line("host name", printable(appliance.hostname));
  text += line("base", base.identity);
  text += line("made by", fmt::format("Mailstead {} for {}", base.mailstead_version, base.profile));
  text += line("made from", fmt::format("{} as of {}", base.suite, utc_time(base.archive_time)));
  text += "\n" + draw_partitions(appliance, width) + "\n";
  text += line("boot state", appliance.boot_state ? image::describe(*appliance.boot_state)
                                                  : "damaged: slot A is started, or B if it cannot be");
  for (const Slot& slot : appliance.slots) text += describe_slot(slot);
  text += "\n" + describe_packages(appliance.facts.packages, width);
  text += wrapped("starts", appliance.units, width);
  text += wrapped("open ports", ports_in_words(appliance.ports), width);
  return text;
}

std::string to_json(const Appliance& appliance) {
  const image::BaseRecord& base = appliance.facts.base;
  const Json object = {{"image", appliance.file},
                       {"size", appliance.size},
                       {"hostname", appliance.hostname},
                       {"base", base.identity},
                       {"mailstead", base.mailstead_version},
                       {"profile", base.profile},
                       {"suite", base.suite},
                       {"architecture", base.architecture},
                       {"archive_time", utc_time(base.archive_time)},
                       {"partitions", partitions_json(appliance.partitions)},
                       {"boot_state", boot_state_json(appliance.boot_state)},
                       {"slots", slots_json(appliance.slots)},
                       {"units", appliance.units},
                       {"ports", ports_json(appliance.ports)},
                       {"installed_size", installed_size(appliance.facts.packages)},
                       {"packages", packages_json(appliance.facts.packages)}};
  return json_document(object);
}

}  // namespace mailstead::inspect
