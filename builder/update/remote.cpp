// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/remote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <thread>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/printable.hpp"
#include "text/split.hpp"
#include "update/ssh.hpp"

namespace mailstead::update {
namespace {

using std::chrono::seconds;

constexpr seconds kAnswer{120};          // an emulated machine needs many
constexpr seconds kTransfer{24 * 3600};  // as long as a manifest is good for

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// What follows the first word of a line.
std::string_view behind_word(std::string_view line) {
  return line.substr(std::min(line.find(' '), line.size() - 1) + 1);
}

/// What a machine says, for a terminal; it may be hostile, and long.
std::string shown(std::string_view text, std::size_t most) {
  return printable(text.substr(0, most));
}

tl::unexpected<Error> no_answer(const Remote& remote, std::string_view line) {
  return fail(ErrorKind::integrity,
              fmt::format("{} sends what is no answer: '{}'", remote.host, shown(line, 200)),
              "was its image built with another version of mailstead? A rescue system can update it, see "
              "docs/change.md");
}

/// What stands in the way, in the words of the machine.
tl::unexpected<Error> refused(const Remote& remote, ErrorKind kind, std::string_view line) {
  return fail(kind, fmt::format("{} {}: {}", remote.host,
                                kind == ErrorKind::io ? "could not take the image" : "refuses",
                                shown(behind_word(line), 500)));
}

/// Of a line "WORD SLOT BOOT".
Result<Restart> restart_of(const Remote& remote, std::string_view line, std::string_view word) {
  const auto words = text::split_words(line);
  if (words.size() != 3 || words[0] != word || (words[1] != "a" && words[1] != "b"))
    return no_answer(remote, line);
  Restart restart;
  restart.slot = words[1].front();
  restart.boot = words[2];
  return restart;
}

Status send_part(const ManifestPart& part, const disk::Disk& image, Session& session,
                 Reporter::Activity& sending) {
  return image.stream(part.from, [&](std::uint64_t, std::string_view block) -> Status {
    CHECK_OK(session.send(block));
    sending.advance(block.size());
    return ok();
  });
}

}  // namespace

std::string fact(const Facts& facts, const std::string& name) {
  const auto found = facts.find(name);
  return found == facts.end() ? std::string() : found->second;
}

std::optional<std::int64_t> number_of(const Facts& facts, const std::string& name) {
  const auto value = number<std::int64_t>(fact(facts, name));
  return value && *value >= 0 ? value : std::nullopt;
}

Result<Remote> make_remote(std::string_view text, const spec::Site& site) {
  if (!site.updates.ssh)
    return fail(ErrorKind::usage, fmt::format("{} has no updates by SSH", site.hostname),
                "add 'updates: {ssh: true}' to the spec, and bring that image to the machine from a rescue "
                "system: see docs/change.md");
  Remote remote;
  remote.hostname = site.hostname;
  remote.private_key = site.updates.private_key;
  remote.known_hosts = site.updates.private_key.parent_path() / "known_hosts";
  std::error_code ignored;
  if (!std::filesystem::exists(remote.private_key, ignored))
    return fail(ErrorKind::usage,
                fmt::format("the key of updates is missing: {}", remote.private_key.string()),
                "bring it back from a backup: the machine accepts no other");
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end != std::string_view::npos) {
      host = text.substr(1, end - 1);
      port = text.substr(end + 1);
    }
  } else if (const std::size_t colon = text.find(':');
             colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '%';
  };
  std::uint16_t given = 22;
  if (!port.empty()) given = port.starts_with(':') ? number<std::uint16_t>(port.substr(1)).value_or(0) : 0;
  if (host.empty() || host.starts_with('-') || !std::ranges::all_of(host, plain) || given == 0)
    return fail(
        ErrorKind::usage, fmt::format("'{}' is no host", printable(text)),
        "write a name or an address, with a port if it is not 22: mail.example.org, 192.0.2.5:2222 or "
        "[2001:db8::5]:2222");
  remote.host = host;
  remote.port = given;
  return remote;
}

Status keep_host_key(const Remote& remote, const std::string& fingerprint) {
  Command scan;
  scan.argv = {"ssh-keyscan", "-T",       "30", "-t", "ed25519", "-p", std::to_string(remote.port),
               "--",          remote.host};
  scan.timeout = seconds(90);
  scan.output_limit = 64 * 1024;
  TRY(const CommandOutput scanned, run_any_status(scan));
  // "HOST ssh-ed25519 AAAA…"; what begins with # is its comment.
  std::string key;
  for (const std::string_view line : text::split_lines(scanned.out)) {
    const auto words = text::split_words(line);
    if (words.size() == 3 && words[1] == "ssh-ed25519") key = fmt::format("{} {}", words[1], words[2]);
  }
  if (key.empty())
    return fail(ErrorKind::network,
                fmt::format("{} does not show a host key on port {}", remote.host, remote.port));
  Command print;
  print.argv = {"ssh-keygen", "-l", "-E", "sha256", "-f", "-"};
  print.input = key + "\n";
  TRY(const CommandOutput printed, run(print));
  const auto words = text::split_words(printed.out);
  if (words.size() < 2 || words[1] != fingerprint)
    return fail(ErrorKind::integrity,
                fmt::format("{} shows the host key {}, not {}", remote.host,
                            words.size() < 2 ? "?" : shown(words[1], 100), shown(fingerprint, 100)),
                "compare with what the machine shows on its console at each start (MAILSTEAD-SSH)");
  return write_file(remote.known_hosts, fmt::format("{} {}\n", remote.hostname, key));
}

Result<Facts> ask_status(const Remote& remote) {
  TRY(const CommandOutput ended, run_any_status(ssh_command(remote, "status", kAnswer)));
  if (ended.out.starts_with("refused "))
    return refused(remote, ErrorKind::usage, text::split_lines(ended.out).front());
  if (ended.exit_status != 0) return fail(ssh_error(remote, ended));
  Facts facts;
  for (const std::string_view line : text::split_lines(ended.out))
    if (!line.empty()) facts[std::string(line.substr(0, line.find(' ')))] = shown(behind_word(line), 1000);
  for (const char* needed : {"boot", "running", "slot", "root-hash"})
    if (fact(facts, needed).empty()) return no_answer(remote, ended.out);
  return facts;
}

Result<Restart> send_update(const Remote& remote, const Manifest& manifest, const disk::Disk& image,
                            Reporter& reporter) {
  const std::string text = to_text(manifest);
  TRY(const std::string signature, sign(text, remote.private_key));
  auto comparing = reporter.start("Comparing with the machine");
  Session session(remote, "update", kTransfer);
  CHECK_OK(session.send(
      fmt::format("mailstead-update 1 {} {}\n{}{}", text.size(), signature.size(), text, signature)));
  TRY(const std::string answer, session.line());
  if (answer == "same") {
    comparing->set_result("it runs this image already");
    Restart none;
    none.needed = false;
    return none;
  }
  if (answer.starts_with("refused ")) return refused(remote, ErrorKind::usage, answer);
  std::vector<const ManifestPart*> wanted;
  std::uint64_t total = 0;
  const auto words = text::split_words(answer);
  if (words.empty() || words.front() != "send") return no_answer(remote, answer);
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto index = number<std::size_t>(words[i]);
    if (!index || *index >= manifest.parts.size()) return no_answer(remote, answer);
    wanted.push_back(&manifest.parts[*index]);
    total += wanted.back()->from.size;
  }
  comparing->set_result(fmt::format("{} to send", human_size(total)));
  comparing.reset();

  const auto sending = reporter.start("Sending the image", total, Reporter::Unit::bytes);
  for (const ManifestPart* part : wanted)
    if (const Status sent = send_part(*part, image, session, *sending); !sent) {
      // It may have told why it hung up.
      const auto reason = session.line();
      if (reason && reason->starts_with("failed ")) return refused(remote, ErrorKind::io, *reason);
      return fail(sent.error());
    }
  TRY(const std::string end, session.line());
  if (end.starts_with("refused ")) return refused(remote, ErrorKind::usage, end);
  if (end.starts_with("failed ")) return refused(remote, ErrorKind::io, end);
  TRY(Restart restart, restart_of(remote, end, "written"));
  session.finish();
  restart.sent = total;
  sending->set_result(fmt::format("{}, written and read back", human_size(total)));
  return restart;
}

Result<Restart> ask_rollback(const Remote& remote) {
  Session session(remote, "rollback", kAnswer);
  TRY(const std::string answer, session.line());
  if (answer.starts_with("refused ")) return refused(remote, ErrorKind::usage, answer);
  TRY(Restart restart, restart_of(remote, answer, "restarting"));
  session.finish();
  return restart;
}

Result<Facts> wait_for_proof(const Remote& remote, const Restart& restart, seconds patience,
                             Reporter& reporter) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto waiting = reporter.start(
      fmt::format("Waiting for slot {} to start and to prove itself", image::slot_letter(restart.slot)));
  const std::string slot(1, restart.slot);
  std::string last = "it has not answered since the restart";
  while (std::chrono::steady_clock::now() < deadline) {
    for (int i = 0; i < 25; ++i) {
      CHECK_OK(check_interrupt());
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    const auto facts = ask_status(remote);
    if (!facts) {
      // It is not there yet, or went down while it answered.
      if (facts.error().kind == ErrorKind::network || facts.error().kind == ErrorKind::tool) continue;
      return fail(facts.error());
    }
    if (fact(*facts, "boot") == restart.boot) {
      last = "it answers, and has not restarted yet";
      continue;
    }
    const std::string proof = fact(*facts, "proof");
    if (fact(*facts, "running") != slot) {
      std::string reason = fact(*facts, "lost-trial");
      if (reason.empty()) reason = "it could not be started; the consoles of the machine have shown why";
      return fail(
          Error{ErrorKind::integrity,
                fmt::format("{} is back on slot {}: slot {} has not proved itself", remote.host,
                            fact(*facts, "running") == "a" ? 'A' : 'B', image::slot_letter(restart.slot)),
                {},
                "build another image, and update again",
                {std::move(reason)},
                {}});
    }
    last = proof.empty() ? "it has started, and the proof is not done yet" : "the proof " + proof;
    if (fact(*facts, "slot") != slot || proof.empty()) continue;
    if (!proof.starts_with("passed"))
      return fail(ErrorKind::integrity, fmt::format("{} runs slot {}, but the proof {}", remote.host,
                                                    image::slot_letter(restart.slot), proof));
    waiting->set_result(proof);
    return *facts;
  }
  return fail(
      Error{ErrorKind::network,
            fmt::format("nothing is known of {} after {} minutes", remote.host, patience.count() / 60),
            {},
            "look at its console, or ask it later with `mailstead status`",
            {last},
            {}});
}

std::vector<std::string> complaints(const Facts& facts, std::int64_t now) {
  constexpr std::int64_t kDay = std::int64_t{24} * 60 * 60;
  std::vector<std::string> lines;
  const std::string proof = fact(facts, "proof");
  const auto proved = number_of(facts, "proof-time");
  if (proof.empty())
    lines.emplace_back("there is no proof since the start");
  else if (!proof.starts_with("passed"))
    lines.push_back("the proof " + proof);
  else if (!proved || *proved < now - 2 * kDay)
    lines.emplace_back("the last proof is older than two days");
  if (fact(facts, "running") != fact(facts, "slot"))
    lines.emplace_back("the slot that runs is not proved");
  else if (fact(facts, "left") != "0")
    lines.emplace_back("the other slot is on trial, and is started next");
  if (const std::string lost = fact(facts, "lost-trial"); !lost.empty())
    lines.push_back("the last update has not proved itself: " + lost);
  if (const std::string units = fact(facts, "failed-units"); !units.empty())
    lines.push_back("failed: " + units);
  const auto size = number_of(facts, "disk-size");
  const auto free = number_of(facts, "disk-free");
  if (!size || !free)
    lines.emplace_back("the free space of the disk is not known");
  else if (*free < *size / 10)
    lines.push_back(fmt::format("{} are left of the disk", human_size(static_cast<std::uint64_t>(*free))));
  const auto until = number_of(facts, "certificate-not-after");
  if (!until)
    lines.emplace_back("the certificate cannot be read");
  else if (*until < now)
    lines.emplace_back("the certificate has expired");
  else if (*until - now < 14 * kDay)
    lines.push_back(fmt::format("the certificate expires in {} days", (*until - now) / kDay));
  return lines;
}

}  // namespace mailstead::update
