// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/interview.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <functional>
#include <optional>
#include <sstream>

#include "base/interrupt.hpp"
#include "base/program.hpp"
#include "cli/ask.hpp"
#include "keys/keys.hpp"
#include "spec/keys.hpp"

namespace mailstead::cli {
namespace {

using init::Answers;
using Words = std::vector<std::string>;

Words missing_flags(const InitOptions& given) {
  Words missing;
  if (given.domains.empty()) missing.emplace_back("--domain");
  if (given.people.empty()) missing.emplace_back("--account");
  if (!given.dhcp && given.addresses.empty()) missing.emplace_back("--dhcp (or --address and --gateway)");
  return missing;
}

Words words_of(const std::string& line) {
  std::istringstream stream(line);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

void tell(const Error& error) {
  std::fputs(format_error(error).c_str(), stderr);
}

tl::unexpected<Error> ended() {
  return fail(ErrorKind::usage, "the input ended before the last question; nothing was created");
}

class Interview {
 public:
  Interview(const InitOptions& given, bool asking) : given_(given), asking_(asking) {}

  Result<Answers> run() {
    if (asking_)
      std::fputs("Press Enter to accept the value in brackets. Ctrl-C stops without creating anything.\n",
                 stderr);
    CHECK_OK(domains());
    CHECK_OK(hostname());
    CHECK_OK(people());
    CHECK_OK(network());
    CHECK_OK(ssh_keys());
    CHECK_OK(time_zone());
    return std::move(answers_);
  }

 private:
  using Take = std::function<Status(Answers&, const std::string&)>;

  Status domains() {
    if (!given_.domains.empty()) return from_flag("--domain", given_.domains, init::add_domain);
    return from_words("Domain of the mail addresses, such as example.org (several: with spaces between them)",
                      "", init::add_domain);
  }

  Status hostname() {
    const std::string usual = "mail." + answers_.domains.front();
    if (given_.hostname.empty() && asking_)
      return from_words("Host name of the machine", usual, init::set_hostname);
    return from_flag("--hostname", {given_.hostname.empty() ? usual : given_.hostname}, init::set_hostname);
  }

  Status people() {
    if (!given_.people.empty()) return from_flag("--account", given_.people, init::add_person);
    CHECK_OK(
        from_words(fmt::format("Address of the first person, such as alice@{}", answers_.domains.front()), "",
                   init::add_person));
    const auto add_if_any = [](Answers& answers, const std::string& address) {
      return address.empty() ? ok() : init::add_person(answers, address);
    };
    for (std::size_t before = 0; before != answers_.people.size();) {
      before = answers_.people.size();
      CHECK_OK(from_words("Address of another person (empty: none)", "", add_if_any));
    }
    return ok();
  }

  Status network() {
    if (given_.dhcp) return ok();
    if (!given_.addresses.empty()) {
      Status taken = init::set_network(answers_, given_.addresses, given_.gateways);
      return taken ? ok() : about("--address and --gateway", std::move(taken).error());
    }
    for (;;) {
      TRY(const std::string addresses,
          answer_to("Addresses of the machine, such as 192.0.2.5/24 2001:db8::5/64, or dhcp", "dhcp"));
      if (addresses == "dhcp") return ok();
      TRY(const std::string gateways, answer_to("Gateway (one for IPv4, one for IPv6)", ""));
      const Status taken = init::set_network(answers_, words_of(addresses), words_of(gateways));
      if (taken) return ok();
      tell(taken.error());
    }
  }

  Status ssh_keys() {
    if (!given_.ssh_keys.empty() || !asking_)
      return from_flag("--ssh-key", given_.ssh_keys, init::add_ssh_keys);
    return from_line("SSH key of the administrator: a public key or its file (empty: no SSH)", "",
                     [](Answers& answers, const std::string& key) {
                       return key.empty() ? ok() : init::add_ssh_keys(answers, key);
                     });
  }

  Status time_zone() {
    if (!given_.time_zone.empty()) return from_flag("--time-zone", {given_.time_zone}, init::set_time_zone);
    if (!asking_) return ok();
    return from_words("Time zone of the logs", std::string(spec::key("time_zone").fallback),
                      init::set_time_zone);
  }

  Status from_flag(const char* flag, const Words& values, const Take& take) {
    for (const std::string& value : values)
      if (Status taken = take(answers_, value); !taken) return about(flag, std::move(taken).error());
    return ok();
  }

  static Status about(const char* flag, Error error) {
    error.message = fmt::format("{}: {}", flag, error.message);
    return fail(std::move(error));
  }

  /// Asks until `take` accepts the answer; an empty one stands for `usual`.
  Status from_line(const std::string& question, const std::string& usual, const Take& take) {
    for (;;) {
      TRY(const std::string answer, answer_to(question, usual));
      const Status taken = take(answers_, answer);
      if (taken) return ok();
      tell(taken.error());
    }
  }

  /// The same, each word for itself: all are accepted, or none.
  Status from_words(const std::string& question, const std::string& usual, const Take& take) {
    return from_line(question, usual, [&](Answers& answers, const std::string& line) -> Status {
      Answers changed = answers;
      Words words = words_of(line);
      if (words.empty()) words.emplace_back();
      for (const std::string& word : words) CHECK_OK(take(changed, word));
      answers = std::move(changed);
      return ok();
    });
  }

  static Result<std::string> answer_to(const std::string& question, const std::string& usual) {
    const std::string shown = usual.empty() ? "" : fmt::format(" [{}]", usual);
    TRY(const std::optional<std::string> line, ask(fmt::format("{}{}: ", question, shown)));
    if (!line) return ended();
    const std::size_t begin = line->find_first_not_of(" \t\r");
    if (begin == std::string::npos) return usual;
    return line->substr(begin, line->find_last_not_of(" \t\r") + 1 - begin);
  }

  const InitOptions& given_;
  const bool asking_;
  Answers answers_;
};

/// The hash of a password that was typed twice; empty for one to make up.
Result<std::string> typed_hash(const std::string& address) {
  for (;;) {
    TRY(const auto password, ask_secret(fmt::format("Password for {} (empty: generate one): ", address)));
    if (!password) return ended();
    if (password->empty()) return std::string();
    TRY(const auto again, ask_secret("Again: "));
    if (!again) return ended();
    auto hash = keys::hash_password(*password);
    if (hash && *again == *password) return hash;
    std::fputs(hash ? "The two passwords differ.\n" : format_error(hash.error()).c_str(), stderr);
  }
}

Result<std::string> hash_of_line(const std::string& address) {
  TRY(const auto password, ask_secret(""));
  if (!password)
    return fail(ErrorKind::usage, fmt::format("no password was given for {}", address),
                "add --generate-passwords, or give one line for each account on standard input");
  return keys::hash_password(*password);
}

}  // namespace

Result<Answers> interview(const InitOptions& given) {
  const Words missing = missing_flags(given);
  if (missing.empty() || can_ask()) return Interview(given, !missing.empty()).run();
  return fail(
      ErrorKind::usage,
      fmt::format("there is no terminal to ask on, and flags are missing: {}", fmt::join(missing, ", ")),
      fmt::format("for example `{}`", own_command({"init", "site", "--domain", "example.org", "--account",
                                                   "alice@example.org", "--dhcp", "--generate-passwords"})));
}

Result<std::vector<MadeUp>> set_passwords(Answers& answers, bool generate) {
  std::vector<MadeUp> made_up;
  for (init::Person& person : answers.people) {
    CHECK_OK(check_interrupt());
    if (!generate) {
      TRY(person.password_hash, can_ask() ? typed_hash(person.address) : hash_of_line(person.address));
      if (!person.password_hash.empty()) continue;
    }
    TRY(std::string password, keys::generate_password());
    TRY(person.password_hash, keys::hash_password(password));
    made_up.push_back({person.address, std::move(password)});
  }
  return made_up;
}

}  // namespace mailstead::cli
