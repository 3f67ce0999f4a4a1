// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/partition_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

#include "inspect/readers.hpp"

namespace mailstead::inspect {
namespace {

using Json = nlohmann::ordered_json;

/// The number at the end of "disk.img12", behind the name of the device and a "p" if that ends in a digit.
int number_of(std::string_view node, std::string_view device) {
  if (!node.starts_with(device)) return 0;
  node.remove_prefix(device.size());
  if (node.starts_with('p')) node.remove_prefix(1);
  int number = 0;
  std::from_chars(node.data(), node.data() + node.size(), number);
  return number;
}

std::string to_lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Status check_places(const std::vector<Partition>& partitions, std::uint64_t disk_size) {
  std::uint64_t end = 0;
  for (const Partition& partition : partitions) {
    if (partition.start < end || partition.size == 0)
      return fail(ErrorKind::integrity, fmt::format("partition {} overlaps another one", partition.number));
    if (partition.start > disk_size || partition.size > disk_size - partition.start)
      return fail(ErrorKind::integrity,
                  fmt::format("partition {} ends behind the end of the disk", partition.number),
                  "the image may have been cut off while it was copied");
    end = partition.start + partition.size;
  }
  return ok();
}

}  // namespace

Result<std::vector<Partition>> parse_partition_table(std::string_view json, std::uint64_t disk_size) {
  std::vector<Partition> partitions;
  try {
    const Json table = Json::parse(json).at("partitiontable");
    if (table.at("label").get<std::string>() != "gpt")
      return fail(ErrorKind::integrity, "the disk has no GUID partition table",
                  "the image may have been cut off while it was copied");
    // Integers only: get() would convert a fraction of any size.
    const auto number = [](const Json& value) -> std::uint64_t {
      return value.get_ref<const Json::number_unsigned_t&>();
    };
    const std::uint64_t sector = table.contains("sectorsize") ? number(table.at("sectorsize")) : 512;
    if (sector == 0 || sector > 65536)
      return fail(ErrorKind::integrity, fmt::format("a sector of {} bytes", sector));
    const auto device = table.at("device").get<std::string>();
    for (const Json& entry : table.value("partitions", Json::array())) {
      const auto start = number(entry.at("start"));
      const auto size = number(entry.at("size"));
      const std::uint64_t sectors = disk_size / sector;
      // Those behind the end keep a place there: multiplied, their numbers could come out as harmless ones.
      partitions.push_back({number_of(entry.at("node").get<std::string>(), device),
                            entry.value("name", std::string()), entry.at("type").get<std::string>(),
                            to_lower(entry.value("uuid", std::string())),
                            std::min(start, sectors + 1) * sector, std::min(size, sectors + 1) * sector});
    }
  } catch (const Json::exception& error) {
    return fail(ErrorKind::integrity,
                fmt::format("sfdisk prints another format than known: {}", error.what()));
  }
  std::sort(partitions.begin(), partitions.end(),
            [](const Partition& a, const Partition& b) { return a.start < b.start; });
  CHECK_OK(check_places(partitions, disk_size));
  return partitions;
}

Result<std::vector<Partition>> read_partition_table(const std::filesystem::path& image,
                                                    std::uint64_t disk_size) {
  Command command;
  command.argv = {"sfdisk", "--json", std::filesystem::absolute(image).string()};
  TRY(const CommandOutput output, run_reader(std::move(command), 0));
  return parse_partition_table(output.out, disk_size);
}

}  // namespace mailstead::inspect
