// SPDX-License-Identifier: GPL-3.0-or-later
// The documents that are made from the records are those in docs/, and the parser accepts their examples.
// UPDATE_GOLDEN=1 writes them anew.
#include "reference/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "reference/roff.hpp"
#include "spec/load.hpp"
#include "support/catch.hpp"
#include "support/example_spec.hpp"
#include "yaml/yaml.hpp"

namespace fs = std::filesystem;
using namespace mailstead;
using spec::Key;
using spec::Many;

namespace {

const fs::path kDocs = fs::path(MAILSTEAD_SOURCE_DIR) / "docs";
void compare(const char* name, const std::string& actual) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) REQUIRE(write_file(kDocs / name, actual));
  const auto text = read_file(kDocs / name);
  REQUIRE(text);
  INFO(name << " is not what the program makes: write it with UPDATE_GOLDEN=1");
  CHECK(*text == actual);
}

}  // namespace

TEST_CASE("docs/spec.md and the JSON schema are made from the records") {
  compare("spec.md", reference::to_markdown());
  compare("mailstead.schema.json", reference::to_json_schema());
}

TEST_CASE("The parser accepts every example of docs/spec.md") {
  const TemporaryDirectory folder = test::folder_of_examples();
  const auto document = read_file(kDocs / "spec.md");
  REQUIRE(document);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = document->find("```yaml\n", at)) != std::string::npos; ++count) {
    at += 8;
    const std::size_t end = document->find("```", at);
    const std::string spec = test::whole_spec(document->substr(at, end - at));
    at = end;
    const auto site = spec::parse_site(spec, folder.path() / "mail.yaml");
    INFO(spec << "\n" << (site ? "" : format_error(site.error())));
    CHECK(site.has_value());
  }
  CHECK(count == spec::kKeys.size());
}

TEST_CASE("One value is a list of one") {
  const TemporaryDirectory folder = test::folder_of_examples();
  for (const Key& key : spec::kKeys) {
    if (key.many == Many::one || key.type == spec::Type::section) continue;
    const auto document = yaml::Document::parse(std::string(key.example), "example");
    REQUIRE(document);
    yaml::Problems problems;
    const std::string first = document->root().as_strings(problems).front();
    std::string text = test::with_value(key, fmt::format("\"{}\"", first));
    // A gateway of IPv6 would lack its address.
    if (const std::size_t second = text.find(", \"fe80::1\""); second != std::string::npos)
      text.erase(second, std::string_view(", \"fe80::1\"").size());
    const std::string spec = test::whole_spec(text);
    const auto site = spec::parse_site(spec, folder.path() / "mail.yaml");
    INFO(spec << "\n" << (site ? "" : format_error(site.error())));
    CHECK(site.has_value());
  }
}

TEST_CASE("A key is described in a terminal") {
  const Key& mtu = *spec::find_keys("network.mtu").front();
  CHECK(reference::describe(mtu, 70) ==
        "network.mtu\n"
        "  The size in bytes of the largest packet that the card sends.\n"
        "  Type:     number, 1280 to 9000 (IPv6 requires 1280; Ethernet has\n"
        "            1500, many cloud networks 1450)\n"
        "  Written:  decimal digits, without zeros in front\n"
        "  Default:  what the network announces, or 1500\n"
        "\n"
        "    network:\n"
        "      mtu: 1450\n");
  const std::string dmarc = reference::describe(*spec::find_keys("dmarc").front(), 100);
  CHECK(dmarc.find("\n  policy ") != std::string::npos);
  const std::string tree = reference::key_tree(100);
  CHECK(tree.find("\n  example.org ") != std::string::npos);
  CHECK(tree.find("\n      selector ") != std::string::npos);
}

TEST_CASE("The manual page has every key, and no text that roff takes for a request") {
  const std::string page = reference::to_manual_page("1.0");
  CHECK(page.find(".TH MAILSTEAD.YAML 5 \"\" \"Mailstead 1.0\"") != std::string::npos);
  for (const Key& key : spec::kKeys)
    CHECK(page.find(fmt::format("\n.TP\n.B {}\n", reference::roff_text(key.path))) != std::string::npos);
  CHECK(reference::roff_text("ü… 😀") == R"(\[u00FC]\[u2026] \[u1F600])");
  CHECK(std::ranges::all_of(page, [](unsigned char c) { return c < 0x80; }));
  CHECK(reference::roff_text(R"(a-b "c" 'd' `e` \f ~^)") ==
        R"(a\-b \(dqc\(dq \(aqd\(aq \(gae\(ga \ef \(ti\(ha)");
  CHECK(reference::roff_lines(".TH\n'x\ny.") == "\\&.TH\n\\(aqx\ny.\n");
}

TEST_CASE("The table as JSON") {
  const auto all =
      nlohmann::json::parse(reference::to_json({&spec::kKeys[0], spec::find_keys("algorithms").front()}));
  REQUIRE(all.size() == 2);
  CHECK(all[0]["key"] == "mailstead");
  CHECK(all[0]["required"] == true);
  CHECK(all[1]["default"] == nlohmann::json({"rsa2048", "ed25519"}));
  CHECK(all[1]["choices"] == nlohmann::json({"rsa2048", "ed25519"}));
}
