// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/ask.hpp"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/interrupt.hpp"

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

/// By read(2), because a stream takes an interrupted read for the end of the input.
Result<std::optional<std::string>> read_line() {
  constexpr std::size_t kLongest = 64u << 10;
  std::string line;
  for (;;) {
    CHECK_OK(check_interrupt());
    char c = 0;
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(ErrorKind::io, fmt::format("cannot read standard input: {}", std::strerror(errno)));
    if (got == 0) CHECK_OK(check_interrupt());  // it came before read(2) was called
    if (got == 0 && line.empty()) return std::optional<std::string>();
    if (got == 0 || c == '\n') return std::optional(std::move(line));
    if (line.size() == kLongest) return fail(ErrorKind::usage, "a line of more than 64 KiB was given");
    line += c;
  }
}

Result<std::optional<std::string>> prompt(std::string_view question) {
  if (can_ask()) std::fputs(std::string(question).c_str(), stderr);
  return read_line();
}

}  // namespace

bool can_ask() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

Result<std::optional<std::string>> ask(std::string_view question) {
  auto line = prompt(question);
  // The cursor is still behind the question.
  if ((!line || !*line) && can_ask()) std::fputc('\n', stderr);
  return line;
}

Result<std::optional<std::string>> ask_secret(std::string_view question) {
  auto line = [&] {
    const SilentTerminal silent;
    return prompt(question);
  }();
  if (can_ask()) std::fputc('\n', stderr);  // the one that was typed did not appear
  return line;
}

}  // namespace mailstead::cli
