// SPDX-License-Identifier: GPL-3.0-or-later
// Steps about the machine as a whole: power, journal, console, ports; and the DKIM oracle.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <set>
#include <sstream>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/run.hpp"
#include "base/threads.hpp"
#include "mailtest/player.hpp"
#include "mailtest/udp_probe.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

/// Ports above 1023 where a mail server's parts, or systems in general, like to listen.
constexpr int kKnownHighPorts[] = {1080,  2049,  2525,  3128,  3306,  4190,  5353,  5355,  5432,  6379,
                                   8080,  8443,  8953,  9000,  9090,  9100,  9900,  9980,  10025, 10026,
                                   10143, 11332, 11333, 11334, 11335, 12340, 12345, 24242, 28080};

/// The numbers in a word; a variable may hold several.
Result<std::vector<int>> ports_in(const std::string& word) {
  std::vector<int> ports;
  std::istringstream numbers(word);
  for (std::string text; numbers >> text;) {
    int port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size())
      return fail(ErrorKind::usage, "'" + text + "' is not a port");
    ports.push_back(port);
  }
  return ports;
}

}  // namespace

Status Player::play_machine(const Step& step) {
  if (stage_.appliance == nullptr) return mismatch("this dialogue is played without a machine");
  Appliance& appliance = *stage_.appliance;
  const bool power =
      step.verb == Verb::reboot || step.verb == Verb::power_cut || step.verb == Verb::power_off;
  if (power) {
    sessions_.clear();
    reply_.reset();
    journal_.reset();
    note(step.source);
  }
  switch (step.verb) {
    case Verb::reboot:
      CHECK_OK(appliance.power_off());
      return appliance.power_on();
    case Verb::power_cut:
      CHECK_OK(appliance.power_cut());
      return step.words.empty() ? appliance.power_on() : ok();
    case Verb::power_off:
      return appliance.power_off();
    case Verb::power_on:
      return appliance.power_on();
    case Verb::wait_boot:
      return appliance.wait_boot(within(step.time));
    case Verb::journal:
      return check_journal(step);
    case Verb::wait_serial:
      return wait_serial(step);
    case Verb::press:
      return appliance.press(step.words);
    case Verb::serial:
    case Verb::screen:
      return check_shown(step);
    default:
      journal_.reset();
      return play_disk(step);
  }
}

Status Player::play_disk(const Step& step) {
  Appliance& appliance = *stage_.appliance;
  const std::string what = step.words[0];
  note(step.source);
  switch (step.verb) {
    case Verb::disk_size:
      return appliance.resize_disk(step.bytes);
    case Verb::other_disk:
      return appliance.add_disk(what);
    case Verb::write_image:
      return appliance.write_image(what == "whole");
    case Verb::write_disk:
      return appliance.write_disk(step.bytes, step.text);
    case Verb::debugfs: {
      TRY(const std::string request, expanded(step.text));
      TRY(std::string printed, appliance.debugfs(request));
      note(printable(printed, 600));
      reply_ = Reply{text::to_strings(text::split_lines(printed)), printed, Protocol::plain};
      return ok();
    }
    case Verb::copied_disk:
      if (what == "attach") return appliance.attach_copy();
      return what == "detach" ? appliance.detach_copy() : appliance.check_copy_unchanged();
    default:
      return what == "sound" ? appliance.check_data_sound() : appliance.check_data_fills_disk();
  }
}

Status Player::check_journal(const Step& step) {
  const std::string& what = step.words[0];
  if (what == "except") {
    journal_exceptions_.push_back(step.text);
    return ok();
  }
  if (!journal_) {
    TRY(journal_, stage_.appliance->journal());
  }
  if (journal_->empty()) return mismatch("the journal is empty");
  TRY(const std::string wanted, expanded(step.text));
  std::vector<std::string> bad;
  bool found = false;
  for (const JournalEntry& entry : *journal_) {
    bool matches = false;
    if (what == "no-errors") {
      matches = entry.priority <= 3;
      for (const std::string& exception : journal_exceptions_) {
        TRY(const bool excepted, regex_search(exception, entry.text(), variables_));
        matches = matches && !excepted;
      }
    } else if (what == "no-failed-units") {
      matches = tells_of_failed_unit(entry);
    } else {
      TRY(matches, regex_search(wanted, entry.text(), variables_));
    }
    found = found || matches;
    if (matches && what != "has") bad.push_back(printable(entry.text(), 400));
  }
  if (what == "has" && !found) return mismatch("no entry of the journal matches " + wanted);
  if (bad.empty()) return ok();
  std::string message = fmt::format("{} entries of the journal should not be there:", bad.size());
  for (std::size_t i = 0; i < bad.size() && i < 40; ++i) message += "\n       " + bad[i];
  return mismatch(std::move(message));
}

Status Player::check_shown(const Step& step) {
  const bool on_screen = step.verb == Verb::screen;
  TRY(const std::string text, on_screen ? stage_.appliance->screen() : stage_.appliance->serial());
  TRY(const std::string wanted, expanded(step.text));
  TRY(const bool found, regex_search(wanted, text, variables_));
  const std::string name = on_screen ? "the screen" : "the console";
  if (found != (step.words[0] == "has"))
    return mismatch(name + (found ? " shows " : " does not show ") + wanted +
                    (on_screen ? ":\n" + text : ""));
  return ok();
}

Status Player::wait_serial(const Step& step) {
  TRY(const std::string wanted, expanded(step.text));
  const Deadline end = within(step.time);
  while (true) {
    CHECK_OK(check_interrupt());
    TRY(const std::string console, stage_.appliance->serial());
    TRY(const bool found, regex_search(wanted, console, variables_));
    if (found) return ok();
    if (std::chrono::steady_clock::now() >= end) return mismatch("the console has not shown " + wanted);
    // Short: the dialogue may want to pull the plug in the middle of what the console has just announced.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Status Player::check_ports(const Step& step) {
  TRY(const std::vector<std::string> w, expanded(step.words));
  std::set<int> wanted;
  std::set<int> tried(std::begin(kKnownHighPorts), std::end(kKnownHighPorts));
  for (int port = 1; port <= 1024; ++port) tried.insert(port);
  for (std::size_t i = 1; i < w.size(); ++i) {
    TRY(const std::vector<int> named, ports_in(w[i]));
    wanted.insert(named.begin(), named.end());
    tried.insert(named.begin(), named.end());
  }
  const std::vector<int> ports(tried.begin(), tried.end());
  std::set<int> open;
  std::mutex mutex;
  std::atomic<std::size_t> next{0};
  const auto scan = [&] {
    for (std::size_t i; (i = next++) < ports.size();) {
      if (interrupted()) return;
      // Two seconds are long next door; only a port that ought to be open gets more, for a machine under
      // load.
      auto port = static_cast<std::uint16_t>(ports[i]);
      bool answers = Connection::open(w[0], port, "", within(std::chrono::seconds(2))).has_value();
      if (!answers && wanted.count(ports[i]) != 0)
        answers = Connection::open(w[0], port, "", within(std::chrono::seconds(10))).has_value();
      if (!answers) continue;
      const std::lock_guard lock(mutex);
      open.insert(ports[i]);
    }
  };
  {
    // A port that is filtered takes the full two seconds: they wait for many at once.
    constexpr int kScanners = 256;
    in_threads(kScanners, scan);
  }
  CHECK_OK(check_interrupt());
  TRY(const std::vector<std::string> udp,
      answering_udp(w[0], udp_probes(), patient(std::chrono::seconds(4))));
  if (open == wanted && udp.empty()) {
    note(fmt::format("{}: of {} ports exactly those answer", w[0], ports.size()));
    return ok();
  }
  std::string message = "the open ports of " + w[0] + " differ:";
  for (const int port : open)
    if (wanted.count(port) == 0) message += fmt::format("\n       {} is open", port);
  for (const int port : wanted)
    if (open.count(port) == 0) message += fmt::format("\n       {} is closed", port);
  for (const std::string& service : udp) message += fmt::format("\n       {} answers over UDP", service);
  return mismatch(std::move(message));
}

Status Player::keep_message(const Step& step) {
  if (step.words[1] != "by") {
    TRY(const std::string text, expanded(step.text));
    variables_[step.words[0]] = to_crlf(text);
    return ok();
  }
  TRY(const std::vector<std::string> w, expanded(step.words));
  Command command;
  command.argv = {"/usr/bin/python3", "-B", w[2]};
  command.argv.insert(command.argv.end(), w.begin() + 3, w.end());
  command.timeout = patient(std::chrono::seconds(60));
  TRY(CommandOutput written, run(command));
  variables_[w[0]] = std::move(written.out);
  return ok();
}

Status Player::verify_dkim(const Step& step) {
  TRY(const std::vector<std::string> w, expanded(step.words));
  const auto message = variables_.find(w[0]);
  if (message == variables_.end()) return mismatch("there is no message '" + w[0] + "'");
  const std::filesystem::path zone = stage_.folder / "zone.json";
  CHECK_OK(write_file(zone, stage_.zone_json));
  Command command;
  command.argv = {"/usr/bin/python3", (stage_.oracles / "verify-dkim.py").string(), zone.string(), w[2],
                  w[4]};
  command.input = message->second;
  command.timeout = patient(std::chrono::seconds(60));
  TRY(const CommandOutput verdict, run_any_status(command));
  note("verify-dkim: " + printable(verdict.out, 600));
  if (verdict.exit_status != 0)
    return mismatch("the independent verifier does not accept the signatures:\n" + verdict.out + verdict.err +
                    "\nthe message was:\n" + message->second.substr(0, 4000));
  return ok();
}

}  // namespace mailstead::mailtest
