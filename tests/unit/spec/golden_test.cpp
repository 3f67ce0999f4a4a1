// SPDX-License-Identifier: GPL-3.0-or-later
// Specs that must be refused, with the exact text (tests/spec-errors), and specs that must be accepted, with
// what they mean (tests/unit/spec/cases). UPDATE_GOLDEN=1 writes the expected files anew.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/files.hpp"
#include "dump.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace mailstead;

namespace {

std::vector<fs::path> specs_in(const fs::path& folder) {
  std::vector<fs::path> specs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") specs.push_back(entry.path());
  }
  std::sort(specs.begin(), specs.end());
  return specs;
}

/// The text in a file beside the spec; `actual` becomes it if UPDATE_GOLDEN is set.
std::string expected_text(fs::path spec, const char* extension, const std::string& actual) {
  const fs::path file = spec.replace_extension(extension);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) REQUIRE(write_file(file, actual));
  const auto text = read_file(file);
  INFO(file << " must be there; write it with UPDATE_GOLDEN=1");
  REQUIRE(text);
  return *text;
}

/// git does not keep all of a file's mode, so the secrets of the cases get theirs here, in a copy.
TemporaryDirectory copy_of(const fs::path& folder) {
  auto copy = TemporaryDirectory::create();
  REQUIRE(copy);
  fs::copy(folder, copy->path(), fs::copy_options::recursive);
  for (const auto& entry : fs::recursive_directory_iterator(copy->path())) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file()) continue;
    const bool open = name.find("open") != std::string::npos;
    fs::permissions(entry.path(), open ? fs::perms(0644) : fs::perms(0600));
  }
  // git would keep it, and fs::copy follow it.
  fs::create_symlink("/etc/passwd", copy->path() / "secrets" / "link.sieve");
  return std::move(*copy);
}

}  // namespace

TEST_CASE("Wrong specs are refused with these texts") {
  const fs::path folder = fs::path(MAILSTEAD_SOURCE_DIR) / "tests" / "spec-errors";
  const TemporaryDirectory copy = copy_of(folder);
  const std::vector<fs::path> specs = specs_in(folder);
  REQUIRE(specs.size() >= 70);
  for (const fs::path& spec : specs) {
    INFO(spec);
    const auto text = read_file(copy.path() / spec.filename());
    REQUIRE(text);
    // The name that is printed is "mail.yaml", whatever the case is called; files are found in the copy.
    const fs::path before = fs::current_path();
    fs::current_path(copy.path());
    const auto site = spec::parse_site(*text, "mail.yaml");
    fs::current_path(before);
    REQUIRE(!site);
    CHECK(exit_code(site.error()) == 2);
    const std::string actual = format_error(site.error());
    CHECK(actual == expected_text(spec, ".expected", actual));
  }
}

TEST_CASE("No expected text is without its spec") {
  for (const auto& entry : fs::directory_iterator(fs::path(MAILSTEAD_SOURCE_DIR) / "tests" / "spec-errors")) {
    if (entry.path().extension() != ".expected") continue;
    fs::path spec = entry.path();
    INFO(spec);
    CHECK(fs::exists(spec.replace_extension(".yaml")));
  }
}

TEST_CASE("Right specs mean what their dumps say") {
  const fs::path folder = fs::path(MAILSTEAD_SOURCE_DIR) / "tests" / "unit" / "spec" / "cases";
  const TemporaryDirectory copy = copy_of(folder);
  const std::vector<fs::path> specs = specs_in(folder);
  REQUIRE(specs.size() >= 4);
  for (const fs::path& spec : specs) {
    const auto site = spec::load_site(copy.path() / spec.filename());
    INFO(spec << "\n" << (site ? "" : format_error(site.error())));
    REQUIRE(site);
    const std::string actual = dump(*site);
    CHECK(actual == expected_text(spec, ".site", actual));
  }
}
