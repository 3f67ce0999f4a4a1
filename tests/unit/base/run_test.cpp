// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/run.hpp"

#include "support/catch.hpp"

namespace mailstead {
namespace {

Command shell(const std::string& script) {
  Command command;
  command.argv = {"/bin/sh", "-c", script};
  return command;
}

TEST_CASE("run: output, input and environment") {
  Command command = shell("cat; echo $TZ $HOME $EXTRA; echo problem >&2");
  command.input = "text\n";
  command.env = {{"EXTRA", "yes"}};
  const auto result = run(command);
  REQUIRE(result);
  CHECK(result->out == "text\nUTC yes\n");
  CHECK(result->err == "problem\n");
}

TEST_CASE("run: a failure shows the command, the status and what the program said") {
  const auto result = run(shell("echo 'no such thing' >&2; exit 3"));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::tool);
  CHECK(format_error(result.error()) ==
        "/bin/sh failed with exit status 3\n"
        "  command: /bin/sh -c 'echo '\\''no such thing'\\'' >&2; exit 3'\n"
        "  it said: no such thing\n");
}

TEST_CASE("run: a signal is called by its name") {
  const auto result = run(shell("kill -SEGV $$"));
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "/bin/sh was ended by SIGSEGV");
}

TEST_CASE("run: a program that does not end is killed at its time limit") {
  Command command = shell("sleep 60");
  command.timeout = std::chrono::seconds(1);
  const auto result = run(command);
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "/bin/sh did not end within 1 s and was killed");
}

TEST_CASE("run: a missing program is named, with the remedy") {
  Command command;
  command.argv = {"no-such-program-here"};
  const auto result = run(command);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::io);
  CHECK(result.error().message == "the program 'no-such-program-here' is not installed");
}

TEST_CASE("run_with_feed: large streams do not deadlock and a program that leaves early is no crash") {
  const std::string block(1 << 20, 'x');
  const auto feed = [&](const Sink& sink) -> Status {
    for (int i = 0; i < 8; ++i) CHECK_OK(sink(block.data(), block.size()));
    return ok();
  };
  const auto counted = run_with_feed(shell("wc -c"), feed);
  REQUIRE(counted);
  CHECK(counted->out == "8388608\n");
  const auto left = run_with_feed(shell("exit 4"), feed);
  REQUIRE_FALSE(left);
  CHECK(left.error().message == "/bin/sh failed with exit status 4");
}

TEST_CASE("shell_quote can be pasted") {
  CHECK(shell_quote({"a", "b c", "it's", "", "x=1"}) == "a 'b c' 'it'\\''s' '' x=1");
}

}  // namespace
}  // namespace mailstead
