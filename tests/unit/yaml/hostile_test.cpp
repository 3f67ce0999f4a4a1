// SPDX-License-Identifier: GPL-3.0-or-later
// Files made to exhaust the reader: each must end in an error (or a document) in bounded time and memory.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>

#include "base/files.hpp"
#include "support/catch.hpp"
#include "yaml/yaml.hpp"

using namespace mailstead;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
// Two seconds of CPU time and 200 MB are what an optimised build keeps; other builds are slower.
constexpr double kMostSeconds = kSanitized ? 60 : 10;
constexpr long kMostMegabytes = kSanitized ? 2000 : 200;
constexpr long kMostUnread = kSanitized ? 1000 : 100;  // with a file of 100 MB that is not to be read

struct Outcome {
  bool refused = false;
  std::string message;
  double seconds = 0;
  long megabytes = 0;
};

std::string repeat(std::string_view text, std::size_t bytes) {
  std::string out;
  out.reserve(bytes + text.size());
  while (out.size() < bytes) out += text;
  return out;
}

/// Parses in a process of its own, so that its memory can be told and a crash is only a failed test.
Outcome parse_in_child(const std::function<Result<yaml::Document>()>& parse) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit cpu{120, 120};
    ::setrlimit(RLIMIT_CPU, &cpu);
    const auto document = parse();
    const std::string text = document ? "+" : "-" + format_error(document.error());
    const bool written = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  rusage usage{};
  REQUIRE(::wait4(child, &status, 0, &usage) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE(!text.empty());
  // Of the processor, not of the clock: the machine that runs the tests may be busy.
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {text[0] == '-', text.substr(1), seconds(usage.ru_utime) + seconds(usage.ru_stime),
          usage.ru_maxrss / 1024};
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
  constexpr std::size_t kFull = (16u << 20) - 64;
  const std::string deep = "levels deep";
  const std::string longer = "longer than 256 KiB";
  const std::string many = "more than 1000000 values";
  const auto repeated = [](std::string_view text, std::string_view before = "", std::string_view after = "") {
    return [=] { return std::string(before) + repeat(text, kFull) + std::string(after); };
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
         for (int i = 0; i < 5000; ++i) text += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
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
      {"the same secret key", repeated("hash: *a\n", "a: &a [1,2]\n"), many},
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
    INFO(file.name << ": " << outcome.seconds << " s, " << outcome.megabytes << " MB\n" << outcome.message);
    if (std::getenv("MAILSTEAD_SHOW_COSTS") != nullptr) {
      WARN(fmt::format("{:45} {:.2f} s {:4} MB {}", file.name, outcome.seconds, outcome.megabytes,
                       outcome.message.substr(0, outcome.message.find('\n'))));
    }
    if (!file.message.empty()) CHECK(outcome.refused);
    CHECK(outcome.message.find(file.message) != std::string::npos);
    CHECK(outcome.message.size() < 4000);
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
  CHECK(outcome.refused);
  CHECK(outcome.message.find("larger than") != std::string::npos);
  CHECK(outcome.megabytes < kMostUnread);
  const Outcome text =
      parse_in_child([] { return yaml::Document::parse(std::string(100'000'000, 'a'), "mail.yaml"); });
  CHECK(text.message == "mail.yaml: the file is larger than 16 MiB\n");
}

TEST_CASE("An error costs the same in a line of 250 KiB, and only a thousand are kept") {
  const std::string text = "x: [" + repeat("a,", 200'000) + "]\n";
  const auto document = yaml::Document::parse(text, "mail.yaml");
  REQUIRE(document);
  yaml::Problems problems;
  yaml::MapReader map(document->root(), problems);
  const auto start = std::chrono::steady_clock::now();
  for (const yaml::Value& item : map.require("x")->as_list(problems)) item.as_bool(problems);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  CHECK(elapsed.count() < kMostSeconds);
  CHECK(problems.size() == 100'000);
  const Status status = std::move(problems).finish();
  REQUIRE(!status);
  CHECK(status.error().others.size() == 999);
  CHECK(format_error(status.error()).ends_with("and 99000 more errors\n"));
}
