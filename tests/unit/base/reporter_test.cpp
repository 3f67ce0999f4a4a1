// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/reporter.hpp"

#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <regex>
#include <thread>
#include <vector>

#include "base/files.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace std::chrono_literals;

namespace {

using Maker = std::unique_ptr<Reporter> (*)();

/// What a reporter writes to a terminal of 40 columns.
std::string shown(Maker make, const std::function<void(Reporter&)>& work,
                  const std::function<void()>& prepare = {}) {
  winsize size{};
  size.ws_col = 40;
  size.ws_row = 10;
  int controller = -1;
  const pid_t child = ::forkpty(&controller, nullptr, nullptr, &size);
  if (child == 0) {
    ::setenv("TERM", "xterm", 1);
    for (const char* name : {"NO_COLOR", "COLUMNS"}) ::unsetenv(name);
    if (prepare) prepare();
    work(*make());
    ::_exit(0);
  }
  REQUIRE(child > 0);
  const FileDescriptor terminal(controller);
  std::string text;
  char block[4096];
  for (ssize_t got; (got = ::read(terminal.get(), block, sizeof block)) > 0;)
    text.append(block, static_cast<std::size_t>(got));
  ::waitpid(child, nullptr, 0);
  std::erase(text, '\r');
  return text;
}

void three_ends(Reporter& reporter) {
  reporter.start("good")->set_result("2 things");
  reporter.start("bad")->set_failed("no answer");
  reporter.start("open");
}

}  // namespace

TEST_CASE("what has failed, or has not come to its end, bears no mark of success") {
  const std::string terminal = shown(make_terminal_reporter, three_ends);
  INFO(terminal);
  CHECK(terminal.find("\033[32m✓\033[0m good  \033[2m2 things, 0.0 s") != std::string::npos);
  CHECK(terminal.find("\033[31m✗\033[0m bad  \033[2mno answer, 0.0 s") != std::string::npos);
  CHECK(terminal.find("\033[31m✗\033[0m open  \033[2m0.0 s") != std::string::npos);
  CHECK(shown(make_plain_reporter, three_ends) ==
        "good …\ngood: 2 things, 0.0 s\nbad …\nbad: failed, no answer, 0.0 s\nopen …\nopen: failed, 0.0 s\n");
  const std::string json = shown(make_json_reporter, three_ends);
  for (const char* outcome :
       {R"("outcome":"done","result":"2 things")", R"("outcome":"failed","result":"no answer")",
        R"("outcome":"failed","result":"")"})
    CHECK(json.find(outcome) != std::string::npos);
}

TEST_CASE("without colours the marks stay, and lines are broken between words") {
  const auto no_color = [] { ::setenv("NO_COLOR", "1", 1); };
  const std::string terminal = shown(make_terminal_reporter, three_ends, no_color);
  INFO(terminal);
  CHECK(terminal.find("\033[K✓ good  2 things, 0.0 s\n") != std::string::npos);
  CHECK(terminal.find("\033[K✗ bad  no answer, 0.0 s\n") != std::string::npos);
  const auto warn = [](Reporter& reporter) { reporter.warning("the key will expire soon, on 2 December"); };
  CHECK(shown(make_terminal_reporter, warn) ==
        "\033[K\033[33mwarning:\033[0m the key will expire soon, on 2\n    December\n");
  CHECK(shown(make_plain_reporter, warn) == "warning: the key will expire soon, on 2\n    December\n");
}

TEST_CASE("what goes on fits on one line of the terminal, and shows how long it has taken") {
  const std::string text = shown(make_terminal_reporter, [](Reporter& reporter) {
    const auto outer = reporter.start("äöü" + std::string(60, 'x'));
    const auto inner = reporter.start("waiting");
    std::this_thread::sleep_for(3500ms);
  });
  INFO(text);
  CHECK(text.find("\033[K… äöü" + std::string(34, 'x') + "\033") != std::string::npos);
  // Once a second; on a machine with other work, one of them may be left out.
  const std::regex seconds("\033\\[K  … waiting [1-3] s");
  CHECK(std::distance(std::sregex_iterator(text.begin(), text.end(), seconds), std::sregex_iterator()) >= 2);
}

TEST_CASE("programs hear how far long work is, once a second") {
  const std::string said = shown(make_json_reporter, [](Reporter& reporter) {
    const auto activity = reporter.start("fetching", 3000, Reporter::Unit::bytes);
    activity->advance(1000);
    std::this_thread::sleep_for(1100ms);
    activity->advance(1000);
    activity->advance(500);
  });
  INFO(said);
  CHECK(said.find(R"({"event":"progress","name":"fetching","done":2000,"total":3000,)") != std::string::npos);
  CHECK(said.find(R"("done":1000,"total")") == std::string::npos);
  CHECK(said.find(R"("done":2500,"total")") == std::string::npos);
}

TEST_CASE("JSON progress stays UTF-8, whatever bytes a name has") {
  const std::string said = shown(make_json_reporter, [](Reporter& reporter) {
    reporter.start("a\xff.img")->set_result("\xc3\xa4\x80");
  });
  INFO(said);
  CHECK(said.find("\"name\":\"a\xef\xbf\xbd.img\"") != std::string::npos);
  CHECK(said.find("\"result\":\"\xc3\xa4\xef\xbf\xbd\"") != std::string::npos);
}
