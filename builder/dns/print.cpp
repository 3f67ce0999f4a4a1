// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/json.hpp"
#include "dns/groups.hpp"
#include "dns/zone.hpp"

namespace mailstead::dns {
namespace {

/// A character-string of a master file, RFC 1035 section 5.1.
std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += {'\\', c};
    else if (octet < 0x20 || octet > 0x7e)
      quoted += fmt::format("\\{:03}", octet);
    else
      quoted += c;
  }
  return quoted + "\"";
}

/// A line end inside a note would start a record.
std::string comment(std::string_view text) {
  std::string line = "; ";
  for (const char c : text) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return line + "\n";
}

std::string data(const Record& record) {
  if (record.type != "TXT") return record.value;
  std::string strings;
  for (const auto& text : record.texts) strings += (strings.empty() ? "" : " ") + quote(text);
  return strings;
}

std::string header(const std::string& zone, const Groups& groups) {
  if (zone.empty())
    return comment("=== Reverse names ===") +
           comment("Not part of your zones: ask the provider of the addresses.");
  return comment(fmt::format("=== {} ===", zone)) +
         (groups.is_mail_domain(zone) ? ""
                                      : comment(fmt::format("Publish in the zone that holds {}.", zone)));
}

}  // namespace

std::string to_master_file(const std::vector<Record>& records) {
  const Groups groups(records);
  std::string file;
  std::optional<std::string> group;
  std::string previous_note;
  for (const auto& record : records) {
    if (const std::string zone = groups.zone_of(record); group != zone) {
      group = zone;
      previous_note.clear();
      file += (file.empty() ? "" : "\n") + header(zone, groups);
    }
    // One remark for a run of records that it fits.
    if (!record.note.empty() && record.note != previous_note) file += comment(record.note);
    previous_note = record.note;
    const std::string value = data(record);
    const bool placeholder = value.empty();
    const std::string line = fmt::format("{}. {} IN {} {}", record.name, record.ttl, record.type,
                                         placeholder ? "<address>" : value);
    file += placeholder || record.type == "PTR" ? comment(line) : line + "\n";
  }
  return file;
}

std::string to_json(const std::vector<Record>& records) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& record : records)
    list.push_back({{"name", record.name},
                    {"type", record.type},
                    {"ttl", record.ttl},
                    {"value", record.value},
                    {"texts", record.texts},
                    {"note", record.note}});
  const nlohmann::ordered_json document = {{"records", std::move(list)}};
  return json_document(document);
}

}  // namespace mailstead::dns
