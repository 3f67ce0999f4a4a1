// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "cli/command.hpp"
#include "keys/keys.hpp"

namespace mailstead::cli {
namespace {

/// Turns off the terminal's echo while it lives.
class SilentTerminal {
 public:
  SilentTerminal() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

Result<std::string> ask(const char* question) {
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  std::string line;
  if (terminal) std::fputs(question, stderr);
  {
    const SilentTerminal silent;
    if (!std::getline(std::cin, line)) {
      if (terminal) std::fputc('\n', stderr);
      return fail(ErrorKind::usage, "no password was given",
                  "type it, or give it on standard input as one line");
    }
  }
  if (terminal) std::fputc('\n', stderr);
  return line;
}

Status print_hash() {
  TRY(std::string password, ask("Password: "));
  if (::isatty(STDIN_FILENO) == 1) {
    TRY(const std::string again, ask("Again: "));
    if (password != again) return fail(ErrorKind::usage, "the two passwords differ", "try again");
  }
  TRY(const std::string hash, keys::hash_password(password));
  fmt::print("{}\n", hash);
  return ok();
}

}  // namespace

void add_passwd(CLI::App& app, Globals& globals) {
  CLI::App* verb =
      app.add_subcommand("passwd", "ask for a password and print its hash, for password_hash in the spec");
  verb->callback([&globals] { globals.work = print_hash; });
}

}  // namespace mailstead::cli
