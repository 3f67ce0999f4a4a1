// SPDX-License-Identifier: GPL-3.0-or-later
// Where the documents are that messages point at.
#include <fmt/format.h>

#include "base/files.hpp"
#include "base/printable.hpp"
#include "cli/command.hpp"

namespace mailstead::cli {
namespace {

namespace fs = std::filesystem;

/// A document in the checkout that the program runs from, or where it was installed; nothing if it is
/// neither.
fs::path find_document(const std::string& name, const char* folder) {
  const auto data = data_directory();
  if (!data) return {};
  const fs::path file = (*data / folder / name).lexically_normal();
  std::error_code error;
  return fs::exists(file, error) ? file : fs::path();
}

}  // namespace

std::string document(const std::string& name) {
  for (const char* folder : {"docs", "../doc/mailstead/docs"})
    if (const fs::path file = find_document(name, folder); !file.empty()) return printable(file.string());
  return "docs/" + name;
}

std::string reference_of_keys() {
  const bool installed =
      find_document("spec.md", "docs").empty() && !find_document("spec.md", "../doc/mailstead/docs").empty();
  return installed ? "`man mailstead.yaml`" : document("spec.md");
}

}  // namespace mailstead::cli
