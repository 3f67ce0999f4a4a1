// SPDX-License-Identifier: GPL-3.0-or-later
// Files made to exhaust the reader: each must end in an error (or a document) in bounded time and memory.
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"
#include "yaml/yaml.hpp"

using namespace mailstead;

namespace {

constexpr long kMostUnread =
    kSanitized ? 1000 : 100;  // megabytes with a file of 100 MB that is not to be read

std::string repeat(std::string_view text, std::size_t bytes) {
  std::string out;
  out.reserve(bytes + text.size());
  while (out.size() < bytes) out += text;
  return out;
}

Outcome parse_in_child(const std::function<Result<yaml::Document>()>& parse) {
  return in_child([&] {
    const auto document = parse();
    return document ? "" : format_error(document.error());
  });
}

struct Hostile {
  std::string name;
  std::function<std::string()> text;
  std::string message;  ///< what the error must hold; empty if the file is only large
};

std::string alias_bomb(int levels, int width) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < levels; ++level) {
    text += fmt::format("a{0}: &a{0} [", level);
    for (int i = 0; i < width; ++i) text += fmt::format("*a{},", level - 1);
    text += "]\n";
  }
  return text;
}

std::vector<Hostile> hostile_files() {
  constexpr std::size_t kFull = (6u << 20) - 64;
  const std::string deep = "levels deep";
  const std::string longer = "longer than 256 KiB";
  const std::string many = "more than 250000 values";
  const auto repeated = [](std::string_view text, std::string_view before = "", std::string_view after = "") {
    return [=] { return std::string(before) + repeat(text, kFull) + std::string(after); };
  };
  const auto blocks = [](const std::string& text) {
    return [=] { return repeat(text, kFull - text.size()); };
  };
  std::vector<Hostile> files{
      {"alias bomb", [] { return alias_bomb(20, 9); }, "aliases make more than"},
      {"binary alias bomb", [] { return alias_bomb(60, 2); }, "aliases make more than"},
      {"deep alias chain",
       [] {
         std::string text = "a0: &a0 [x]\n";
         for (int i = 1; i < 200; ++i) text += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
         return text;
       },
       deep},
      {"brackets", repeated("["), longer},
      {"brackets a line", repeated("[\n"), longer},
      {"brackets behind quotes that hold newlines", repeated("[\"\n\","), longer},
      {"braces", repeated("{"), longer},
      {"braces with keys", repeated("{a: "), longer},
      {"closed brackets", repeated("[]"), ""},
      {"block lists in a line", repeated("- "), deep},
      {"explicit keys", repeated("? "), deep},
      {"nested maps",
       [] {
         std::string text;
         for (int i = 0; i < 3000; ++i) text += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
         return text;
       },
       deep},
      {"colons", repeated(":"), longer},
      {"colons and spaces", repeated(": "), ""},
      {"anchors", repeated("&a "), longer},
      {"aliases", repeated("*a "), longer},
      {"tags", repeated("!a "), longer},
      {"double quotes", repeated("\""), ""},
      {"single quotes", repeated("'"), longer},
      {"pairs of quotes in a list", repeated("'',", "[", "]"), longer},
      {"a text without end", repeated("a"), longer},
      {"words without end", repeated("a b "), longer},
      {"lines of a text", repeated("a\n"), longer},
      {"open double quote", repeated("a", "x: \""), longer},
      {"block scalar", repeated("  if true { stop; }\n", "x: |\n"), longer},
      {"items in a line", repeated("a,", "[", "]"), longer},
      {"items a line", repeated("- a\n"), many},
      {"empty items", repeated("-\n"), many},
      {"keys",
       [] {
         std::string text;
         for (int i = 0; text.size() < kFull; ++i) text += fmt::format("k{}: v\n", i);
         return text;
       },
       many},
      {"the same secret key", repeated("hash: *a\n", "a: &a [1,2]\n"), "aliases make more than"},
      {"one long text, named often",
       [] { return "a: &a \"" + repeat("a", 200'000) + "\"\nb: [\n" + repeat("*a,\n", 800'000) + "]\n"; },
       "aliases make more than"},
      {"long texts", blocks("- " + repeat("a b ", 100'000) + "\n"), ""},
      {"long lists", blocks("- [" + repeat("a,", 100'000) + "]\n"), many},
      {"long quoted texts", blocks("- \"" + repeat("\\n", 100'000) + "\"\n"), ""},
      {"long keys",
       [] {
         std::string text;
         for (int i = 0; text.size() < kFull; ++i) text += fmt::format("{:0140}: v\n", i);
         return text;
       },
       ""},
      {"spaces", repeated(" "), ""},
      {"newlines", repeated("\n"), ""},
      {"comment", repeated("#"), longer},
      {"comments", repeated("# a\n"), longer},
      {"tabs", repeated("\t"), ""},
      {"documents", repeated("---\n"), "more than one document"},
      {"directives", repeated("%TAG ! tag:example.org,2000:\n"), ""},
      {"block scalar headers", repeated("|\n"), ""},
      {"percent signs", repeated("%"), ""},
      {"escapes", repeated("\\n", "\"", "\""), longer},
  };
  return files;
}

}  // namespace

TEST_CASE("Hostile files end in an error, soon and in little memory") {
  for (const Hostile& file : hostile_files()) {
    const std::string text = file.text();
    const Outcome outcome = parse_in_child([&] { return yaml::Document::parse(text, "mail.yaml"); });
    INFO(file.name << ": " << outcome.seconds << " s, " << outcome.megabytes << " MB\n" << outcome.text);
    if (std::getenv("MAILSTEAD_SHOW_COSTS") != nullptr) {
      WARN(fmt::format("{:45} {:.2f} s {:4} MB {}", file.name, outcome.seconds, outcome.megabytes,
                       outcome.text.substr(0, outcome.text.find('\n'))));
    }
    if (!file.message.empty()) CHECK(!outcome.text.empty());
    CHECK(outcome.text.find(file.message) != std::string::npos);
    CHECK(outcome.text.size() < 4000);
    CHECK(outcome.seconds < kMostSeconds);
    CHECK(outcome.megabytes < kMostMegabytes);
  }
}

TEST_CASE("A file that is too large is refused unread") {
  auto folder = TemporaryDirectory::create();
  REQUIRE(folder);
  const auto path = folder->path() / "mail.yaml";
  std::ofstream(path) << "mailstead: 1\n";
  std::filesystem::resize_file(path, 100'000'000);
  const Outcome outcome = parse_in_child([&] { return yaml::Document::load(path); });
  CHECK(!outcome.text.empty());
  CHECK(outcome.text.find("larger than") != std::string::npos);
  CHECK(outcome.megabytes < kMostUnread);
  const Outcome text =
      parse_in_child([] { return yaml::Document::parse(std::string(100'000'000, 'a'), "mail.yaml"); });
  CHECK(text.text == "mail.yaml: the file is larger than 6 MiB\n");
}

TEST_CASE("Reading ends when the user asks to stop") {
  const Outcome outcome = in_child([] {
    catch_interrupts();
    ::raise(SIGTERM);
    const auto document = yaml::Document::parse("a: b\n", "mail.yaml");
    return document ? "read" : format_error(document.error());
  });
  CHECK(outcome.text == "interrupted; no partial output was left\n");
}

TEST_CASE("An error costs the same in a line of 250 KiB, and only a thousand are kept") {
  const std::string text = "x: [" + repeat("a,", 200'000) + "]\n";
  const Outcome outcome = in_child([&] {
    const auto document = yaml::Document::parse(text, "mail.yaml");
    if (!document) return format_error(document.error());
    yaml::Problems problems;
    yaml::MapReader map(document->root(), problems);
    for (const yaml::Value& item : map.require("x")->as_list(problems)) item.as_bool(problems);
    const std::size_t size = problems.size();
    const Status status = std::move(problems).finish();
    return fmt::format("{}, {}: {}", size, status.error().others.size(), format_error(status.error()));
  });
  CHECK(outcome.seconds < kMostSeconds);
  CHECK(outcome.text.starts_with("100000, 999: "));
  CHECK(outcome.text.ends_with("and 99000 more errors\n"));
}

TEST_CASE("An error that is only counted is not made") {
  yaml::Problems problems;
  std::size_t made = 0;
  for (int i = 0; i < 1500; ++i) {
    problems.add([&] {
      ++made;
      return Error{ErrorKind::usage, "wrong", {}, {}, {}, {}};
    });
  }
  CHECK(made == 1000);
  CHECK(problems.size() == 1500);
}
