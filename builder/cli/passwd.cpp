// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "base/interrupt.hpp"
#include "cli/ask.hpp"
#include "cli/command.hpp"
#include "keys/keys.hpp"

namespace mailstead::cli {
namespace {

Result<std::string> ask_password(const char* question) {
  TRY(std::optional<std::string> password, ask_secret(question));
  if (password) return *std::move(password);
  return fail(ErrorKind::usage, "no password was given", "type it, or pass it on standard input as one line");
}

Status print_hash(Globals& globals) {
  TRY(const std::string password, ask_password("Password: "));
  if (can_ask()) {
    TRY(const std::string again, ask_password("Again: "));
    if (password != again) return fail(ErrorKind::usage, "the two passwords differ", "try again");
  }
  TRY(const std::string hash, keys::hash_password(password));
  if (const std::string weakness = keys::password_weakness(password); !weakness.empty())
    globals.reporter->warning(
        fmt::format("{}; anyone can try to log in to a mail server, so choose a longer one", weakness));
  fmt::print("{}\n", hash);
  return ok();
}

Status print_generated(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    CHECK_OK(check_interrupt());
    TRY(const std::string password, keys::generate_password());
    TRY(const std::string hash, keys::hash_password(password));
    fmt::print("{}  {}\n", password, hash);
  }
  return ok();
}

}  // namespace

void add_passwd(CLI::App& app, Globals& globals) {
  CLI::App* verb =
      app.add_subcommand("passwd", "ask for a password and print its hash for password_hash in the spec");
  auto count = std::make_shared<unsigned>(0);
  verb->add_option("--generate", *count,
                   "do not ask: print N random passwords with their hashes; they are not stored")
      ->type_name("N")
      ->expected(0, 1)
      ->default_str("1")
      ->check(CLI::Range(1, 1000));
  verb->footer(examples({{"passwd"}, {"passwd", "--generate", "3"}},
                        "The spec also accepts hashes from other servers: mail-administrator.md in the "
                        "documentation lists them."));
  verb->callback([&globals, count] {
    globals.work = [&globals, count] { return *count == 0 ? print_hash(globals) : print_generated(*count); };
  });
}

}  // namespace mailstead::cli
