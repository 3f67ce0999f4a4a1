// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/printable.hpp"
#include "inspect/diff.hpp"

namespace mailstead::inspect {
namespace {

using Json = nlohmann::ordered_json;

const char* word_of(Change change) {
  if (change == Change::added) return "added";
  return change == Change::removed ? "removed" : "changed";
}

char sign_of(Change change) {
  if (change == Change::added) return '+';
  return change == Change::removed ? '-' : '~';
}

void heading(std::string& text, std::string_view name) {
  text += fmt::format("{}{}\n", text.empty() ? "" : "\n", name);
}

void describe_values(std::string& text, std::string_view name, const std::vector<ValueDifference>& values) {
  if (values.empty()) return;
  heading(text, name);
  for (const ValueDifference& value : values) {
    if (!value.before.empty()) text += fmt::format("  - {:<14} {}\n", value.what, printable(value.before));
    if (!value.after.empty()) text += fmt::format("  + {:<14} {}\n", value.what, printable(value.after));
  }
}

void describe_packages(std::string& text, const std::vector<PackageDifference>& packages) {
  if (packages.empty()) return;
  heading(text, "packages");
  for (const PackageDifference& package : packages) {
    const std::string& name = package.name;
    if (package.before.empty())
      text += fmt::format("  + {} {}\n", name, package.after);
    else if (package.after.empty())
      text += fmt::format("  - {} {}\n", name, package.before);
    else
      text += fmt::format("  ~ {} {} -> {}{}\n", name, package.before, package.after,
                          package.older ? " (older)" : "");
  }
}

void describe_files(std::string& text, const std::vector<FileDifference>& files) {
  if (files.empty()) return;
  heading(text, "files");
  for (const FileDifference& file : files) {
    text += fmt::format("  {} /{}", sign_of(file.change), printable(file.path));
    for (std::size_t i = 0; i < file.what.size(); ++i) text += (i == 0 ? ": " : "; ") + file.what[i];
    text += '\n';
  }
}

void describe_configuration(std::string& text, const std::vector<ConfigurationDifference>& files) {
  if (files.empty()) return;
  heading(text, "configuration");
  for (const ConfigurationDifference& file : files) {
    if (file.unified.empty())
      text += fmt::format("/{} is {}, and not shown: not for everyone to read, or no text\n",
                          printable(file.path), word_of(file.change));
    else
      text += file.unified;
  }
}

void describe_sizes(std::string& text, const std::vector<SizeDifference>& sizes) {
  if (sizes.empty()) return;
  heading(text, "sizes");
  for (const SizeDifference& size : sizes)
    text += fmt::format("  ~ {:<17} {} -> {}\n", printable(size.what), human_size(size.before),
                        human_size(size.after));
}

Json values_json(const std::vector<ValueDifference>& values) {
  Json array = Json::array();
  const auto or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  for (const ValueDifference& value : values)
    array.push_back(
        {{"what", value.what}, {"before", or_null(value.before)}, {"after", or_null(value.after)}});
  return array;
}

Json packages_json(const std::vector<PackageDifference>& packages) {
  Json array = Json::array();
  const auto or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  for (const PackageDifference& package : packages) {
    array.push_back({{"name", package.name},
                     {"architecture", package.architecture},
                     {"before", or_null(package.before)},
                     {"after", or_null(package.after)},
                     {"older", package.older}});
  }
  return array;
}

Json files_json(const std::vector<FileDifference>& files) {
  Json array = Json::array();
  for (const FileDifference& file : files)
    array.push_back({{"path", "/" + file.path}, {"change", word_of(file.change)}, {"what", file.what}});
  return array;
}

Json configuration_json(const std::vector<ConfigurationDifference>& files) {
  Json array = Json::array();
  for (const ConfigurationDifference& file : files) {
    array.push_back({{"path", "/" + file.path},
                     {"change", word_of(file.change)},
                     {"diff", file.unified.empty() ? Json(nullptr) : Json(file.unified)}});
  }
  return array;
}

Json sizes_json(const std::vector<SizeDifference>& sizes) {
  Json array = Json::array();
  for (const SizeDifference& size : sizes)
    array.push_back({{"what", size.what}, {"before", size.before}, {"after", size.after}});
  return array;
}

}  // namespace

std::string describe(const ImageDifference& difference) {
  std::string text;
  describe_values(text, "image", difference.identity);
  describe_packages(text, difference.packages);
  describe_files(text, difference.files);
  describe_configuration(text, difference.configuration);
  describe_sizes(text, difference.sizes);
  describe_values(text, "boot", difference.boot);
  if (!difference.partitions.empty()) {
    heading(text, "partitions with other bytes");
    for (const std::string& label : difference.partitions) text += fmt::format("  ~ {}\n", printable(label));
  }
  return text;
}

std::string to_json(const ImageDifference& difference) {
  const Json object = {{"same", difference.empty()},
                       {"image", values_json(difference.identity)},
                       {"packages", packages_json(difference.packages)},
                       {"files", files_json(difference.files)},
                       {"configuration", configuration_json(difference.configuration)},
                       {"sizes", sizes_json(difference.sizes)},
                       {"boot", values_json(difference.boot)},
                       {"partitions", difference.partitions}};
  return json_document(object);
}

}  // namespace mailstead::inspect
