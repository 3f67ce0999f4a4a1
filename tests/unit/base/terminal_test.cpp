// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/terminal.hpp"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/files.hpp"
#include "base/program.hpp"
#include "support/catch.hpp"

using namespace mailstead;

namespace {

/// Variables of the environment as they were, at its end.
class Environment {
 public:
  Environment() {
    for (const char* name : {"COLUMNS", "NO_COLOR"}) ::unsetenv(name);
    ::setenv("TERM", "xterm", 1);
  }
  Environment(const Environment&) = delete;
  ~Environment() {
    for (const char* name : {"COLUMNS", "NO_COLOR"}) ::unsetenv(name);
    ::setenv("TERM", "xterm", 1);
    set_color(Color::automatic);
  }
};

struct Terminal {
  explicit Terminal(unsigned short columns) {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = 10;
    int ends[2];
    REQUIRE(::openpty(&ends[0], &ends[1], nullptr, nullptr, &size) == 0);
    controller = FileDescriptor(ends[0]);
    terminal = FileDescriptor(ends[1]);
  }
  FileDescriptor controller, terminal;
};

}  // namespace

TEST_CASE("lines are broken between words") {
  CHECK(wrap_line("one two three", 0, 2) == "one two three");
  CHECK(wrap_line("one two three", 13, 2) == "one two three");
  CHECK(wrap_line("one two three", 12, 2) == "one two\n  three");
  CHECK(wrap_line("  --name   what it does", 16, 11) == "  --name   what\n        it does");
  CHECK(wrap_line("überall größer", 14, 0) == "überall größer");
  CHECK(wrap_line("\033[31mone\033[0m two", 7, 0) == "\033[31mone\033[0m two");
  // what is longer than the line stands alone on one
  CHECK(wrap_line("a https://example.org/long b", 10, 2) == "a\n  https://example.org/long\n  b");
}

TEST_CASE("a command to copy is not broken, even if it is longer than a line") {
  CHECK(wrap_line("run it: `make this now` today", 20, 2) == "run it:\n  `make this now`\n  today");
  CHECK(wrap_line("run `a b c d e f g` now", 10, 2) == "run\n  `a b c d e f g`\n  now");
  CHECK(wrap_line("it's a ` alone here", 10, 2) == "it's a `\n  alone\n  here");
}

TEST_CASE("in a message, a command on a line of its own stays as it is") {
  CHECK(wrap_message("to try the machine, start it:\n    mailstead run site/mail.img --spec site/mail.yaml",
                     20) ==
        "to try the machine,\n    start it:\n    mailstead run site/mail.img --spec site/mail.yaml");
}

TEST_CASE("in a message, quoted source stays as it is") {
  const std::string text =
      "mailstead: mail.yaml:14:3: unknown key 'acounts'; did you mean 'accounts'?\n"
      "   14 |   acounts: {a long line: of the spec, that is: longer than the terminal}\n"
      "      |   ^~~~~~~\n"
      "  allowed here: accounts, aliases, domains, forwards\n";
  CHECK(wrap_message(text, 0) == text);
  CHECK(wrap_message(text, 40) ==
        "mailstead: mail.yaml:14:3: unknown key\n"
        "    'acounts'; did you mean 'accounts'?\n"
        "   14 |   acounts: {a long line: of the spec, that is: longer than the terminal}\n"
        "      |   ^~~~~~~\n"
        "  allowed here: accounts, aliases,\n"
        "    domains, forwards\n");
}

TEST_CASE("the width is that of COLUMNS, or of the terminal") {
  const Environment environment;
  const Terminal terminal(100);
  const FileDescriptor null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  CHECK(terminal_width(terminal.terminal.get()) == 100);
  CHECK(terminal_width(null.get()) == 0);
  ::setenv("COLUMNS", "72", 1);
  CHECK(terminal_width(terminal.terminal.get()) == 72);
  CHECK(terminal_width(null.get()) == 72);
  ::setenv("COLUMNS", "3", 1);
  CHECK(terminal_width(null.get()) == 40);
  for (const char* none : {"", "0", "72 ", "-1", "wide"}) {
    ::setenv("COLUMNS", none, 1);
    CHECK(terminal_width(terminal.terminal.get()) == 100);
  }
}

TEST_CASE("colours are for terminals that have them and people who want them") {
  const Environment environment;
  const Terminal terminal(80);
  const int fd = terminal.terminal.get();
  const FileDescriptor null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  CHECK(has_color(fd));
  CHECK(!has_color(null.get()));
  ::setenv("NO_COLOR", "", 1);
  CHECK(has_color(fd));
  ::setenv("NO_COLOR", "1", 1);
  CHECK(!has_color(fd));
  CHECK(can_redraw(fd));
  set_color(Color::always);
  CHECK(has_color(fd));
  CHECK(has_color(null.get()));
  set_color(Color::never);
  ::unsetenv("NO_COLOR");
  CHECK(!has_color(fd));
  set_color(Color::automatic);
  ::setenv("TERM", "dumb", 1);
  CHECK(!has_color(fd));
  CHECK(!can_redraw(fd));
}

TEST_CASE("hints name the program as it was called") {
  CHECK(own_command({"keys", "it's mine.yaml"}) == "mailstead keys 'it'\\''s mine.yaml'");
  set_program_name("./build/mailstead");
  CHECK(own_command({"help"}) == "./build/mailstead help");
  set_program_name("my builds/mailstead");
  CHECK(own_command({"help"}) == "'my builds/mailstead' help");
  set_program_name("\033[31mred");
  CHECK(own_command({"check", "\xe2\x80\xae"}) == "'\\x1b[31mred' check '\\xe2\\x80\\xae'");
  set_program_name("my builds/mailstead");
  set_program_name(nullptr);
  set_program_name("");
  CHECK(own_command({}) == "'my builds/mailstead'");
  set_program_name("mailstead");
}
