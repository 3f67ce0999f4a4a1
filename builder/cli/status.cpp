// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/printable.hpp"
#include "base/program.hpp"
#include "cli/host.hpp"
#include "inspect/appliance.hpp"
#include "keys/update_key.hpp"
#include "spec/load.hpp"
#include "text/split.hpp"
#include "update/remote.hpp"

namespace mailstead::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Three starts of a slot that does not prove itself, of twenty minutes each, and those of the machine.
constexpr std::chrono::minutes kPatience{80};

Result<update::Remote> reach(const HostOptions& options) {
  if (options.spec.empty())
    return fail(ErrorKind::usage, fmt::format("--spec is required to reach {}", printable(options.host)),
                "name the spec of the machine's site: its key of updates lies beside it");
  TRY(const spec::Site site, spec::load_site(options.spec));
  TRY(update::Remote remote, update::make_remote(options.host, site));
  if (!options.fingerprint.empty()) CHECK_OK(update::keep_host_key(remote, options.fingerprint));
  return remote;
}

std::int64_t number(const update::Facts& facts, const std::string& name) {
  return update::number_of(facts, name).value_or(0);
}

/// A time that can be shown, whatever the machine says.
std::time_t time_of(const update::Facts& facts, const std::string& name) {
  constexpr std::int64_t kLast = 253402300799;  // the year 9999
  return static_cast<std::time_t>(std::min(number(facts, name), kLast));
}

std::string letter(const std::string& slot) {
  return slot == "a" || slot == "b" ? std::string(1, image::slot_letter(slot.front())) : "?";
}

/// "3 days", "2 hours", "5 minutes", "40 seconds"
std::string duration(std::int64_t seconds) {
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  for (const Unit& unit : {Unit{86400, "day"}, Unit{3600, "hour"}, Unit{60, "minute"}, Unit{1, "second"}})
    if (seconds >= unit.seconds)
      return fmt::format("{} {}{}", seconds / unit.seconds, unit.name,
                         seconds / unit.seconds == 1 ? "" : "s");
  return "a moment";
}

std::string day(std::time_t time) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(time));
}

void line(std::string_view name, const std::string& value) {
  fmt::print("{:<12}{}\n", name, value);
}

std::string describe_slots(const update::Facts& facts) {
  const std::string running = update::fact(facts, "running");
  const std::string slot = update::fact(facts, "slot");
  if (running == slot) {
    const std::string trial = update::fact(facts, "try");
    if (trial == "a" || trial == "b")
      return fmt::format("{}, proved; {}", letter(slot),
                         number(facts, "left") > 0
                             ? fmt::format("slot {} is started next, on trial", letter(trial))
                             : fmt::format("slot {} has not proved itself", letter(trial)));
    return letter(slot) + ", proved";
  }
  return fmt::format("{}, not proved; slot {} is", letter(running), letter(slot));
}

void print_facts(const update::Facts& facts, std::int64_t now) {
  line("host", fmt::format("{}, up for {}", update::fact(facts, "hostname"), duration(number(facts, "up"))));
  line("slot", describe_slots(facts));
  line("root hash", update::fact(facts, "root-hash"));
  line("packages",
       fmt::format("of {} ({})", day(time_of(facts, "archive-time")), update::fact(facts, "profile")));
  if (const std::string proof = update::fact(facts, "proof"); !proof.empty())
    line("proof", fmt::format("{}, {} ago", proof, duration(now - time_of(facts, "proof-time"))));
  line("disk",
       fmt::format("{} free of {}", human_size(static_cast<std::uint64_t>(number(facts, "disk-free"))),
                   human_size(static_cast<std::uint64_t>(number(facts, "disk-size")))));
  line("queue", fmt::format("{} message{}", number(facts, "queue"), number(facts, "queue") == 1 ? "" : "s"));
  line("certificate", "until " + day(time_of(facts, "certificate-not-after")));
  for (const std::string& complaint : update::complaints(facts, now)) line("unhealthy", complaint);
}

Json json_of(const update::Facts& facts, std::int64_t now) {
  const auto time = [&](const char* name) -> Json {
    if (!facts.contains(name)) return nullptr;
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time_of(facts, name)));
  };
  const std::string trial = update::fact(facts, "try");
  return {
      {"hostname", update::fact(facts, "hostname")},
      {"uptime_seconds", number(facts, "up")},
      {"running_slot", update::fact(facts, "running")},
      {"proved_slot", update::fact(facts, "slot")},
      {"trial", trial == "a" || trial == "b" ? Json(trial) : Json(nullptr)},
      {"tries_left", number(facts, "left")},
      {"lost_trial", facts.contains("lost-trial") ? Json(update::fact(facts, "lost-trial")) : Json(nullptr)},
      {"root_hash", update::fact(facts, "root-hash")},
      {"base", update::fact(facts, "base")},
      {"profile", update::fact(facts, "profile")},
      {"archive_time", time("archive-time")},
      {"proof", facts.contains("proof") ? Json(update::fact(facts, "proof")) : Json(nullptr)},
      {"proof_time", time("proof-time")},
      {"disk_bytes", number(facts, "disk-size")},
      {"disk_free_bytes", number(facts, "disk-free")},
      {"queue", number(facts, "queue")},
      {"certificate_not_after", time("certificate-not-after")},
      {"complaints", update::complaints(facts, now)}};
}

/// An image with another key, or none, would never let this one in again.
Status require_own_key(const inspect::DiskImage& image, const update::Remote& remote,
                       const std::filesystem::path& file) {
  constexpr const char* kSigners = "etc/mailstead/update-signers";
  TRY(const inspect::Partition partition, image.partition(image::kRootLabels[0]));
  TRY(const rootfs::FileTree root, image.read_squashfs(partition, {"etc"}));
  TRY(const std::string own, keys::public_half(remote.private_key));
  // "ssh-ed25519 AAAA… comment", or without one, of which the image has the first two words.
  const auto words = text::split_words(std::string_view(own).substr(0, own.find('\n')));
  const std::string key = words.size() < 2 ? own : fmt::format("{} {}", words[0], words[1]);
  if (const rootfs::Inode* inode = root.find(kSigners)) {
    TRY(const std::string signers, inode->content.read());
    if (signers.ends_with(" " + key + "\n")) return ok();
  }
  return fail(
      ErrorKind::usage,
      fmt::format("{} does not accept the key of updates {}: after it, the machine could not be updated "
                  "by SSH any more",
                  file.string(), remote.private_key.string()),
      "build it with 'updates: {ssh: true}' and this key; to change the key, use a rescue system, see "
      "docs/change.md");
}

/// After a restart that has been asked for: `json` is completed and printed, or the result told.
Status finish(const HostOptions& options, const update::Remote& remote, const update::Restart& restart,
              bool wait, Json json, Globals& globals) {
  const char slot = image::slot_letter(restart.slot);
  std::string proof;
  if (wait) {
    TRY(const update::Facts facts, update::wait_for_proof(remote, restart, kPatience, *globals.reporter));
    proof = update::fact(facts, "proof");
  }
  if (globals.json) {
    json["slot"] = std::string(1, restart.slot);
    json["proof"] = wait ? Json(proof) : Json(nullptr);
    fmt::print("{}", json_document(json));
    return ok();
  }
  line("slot", wait ? fmt::format("{} runs, and has proved itself", slot)
                    : fmt::format("{} is being started; `{}` tells whether it has proved itself", slot,
                                  own_command({"status", options.host, "--spec", options.spec.string()})));
  if (!proof.empty()) line("proof", proof);
  return ok();
}

}  // namespace

void add_host_options(CLI::App& verb, HostOptions& options) {
  verb.add_option("--spec", options.spec,
                  "the spec of the machine's site, beside which the key of updates lies")
      ->type_name("SPEC")
      ->check(not_empty);
  verb.add_option(
          "--host-key", options.fingerprint,
          "the first time: the fingerprint (SHA256:…) that the console of the machine shows at each start")
      ->type_name("FINGERPRINT")
      ->check(not_empty);
}

Status update_host(const std::filesystem::path& file, const HostOptions& options, bool allow_older, bool wait,
                   Globals& globals) {
  CHECK_OK(require_disk_image(file));
  TRY(const update::Remote remote, reach(options));
  Reporter& reporter = *globals.reporter;
  TRY(const disk::Disk disk, disk::Disk::open(file));
  TRY(const update::ProvedImage proved, update::prove_image(disk, reporter));
  if (proved.hostname != remote.hostname)
    return fail(ErrorKind::usage, fmt::format("{} is an image of {}, and the spec is that of {}",
                                              file.string(), printable(proved.hostname), remote.hostname));
  TRY(const inspect::DiskImage image, inspect::DiskImage::open(file));
  CHECK_OK(require_own_key(image, remote, file));
  TRY(const inspect::PublicFacts facts, inspect::read_public_facts(image));
  TRY(update::Manifest manifest,
      update::make_manifest(disk, proved, facts.base, globals.options.now, reporter));
  manifest.allow_older = allow_older;
  TRY(const update::Restart restart, update::send_update(remote, manifest, disk, reporter));
  Json json = {{"host", remote.host},
               {"hostname", proved.hostname},
               {"root_hash", proved.root_hash},
               {"written", restart.needed ? "slot" : "none"},
               {"bytes_sent", restart.sent}};
  if (!globals.json) {
    line("host", remote.host);
    line("root hash", proved.root_hash);
    line("sent", restart.needed ? human_size(restart.sent) : "nothing: the machine runs this image already");
  }
  if (restart.needed) return finish(options, remote, restart, wait, std::move(json), globals);
  if (globals.json) fmt::print("{}", json_document(json));
  return ok();
}

Status roll_back_host(const HostOptions& options, bool wait, Globals& globals) {
  TRY(const update::Remote remote, reach(options));
  TRY(const update::Restart restart, update::ask_rollback(remote));
  if (!globals.json) line("host", remote.host);
  return finish(options, remote, restart, wait, Json{{"host", remote.host}, {"hostname", remote.hostname}},
                globals);
}

void add_status(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand("status", "ask a running machine how it is, by SSH");
  auto options = std::make_shared<HostOptions>();
  verb->add_option("HOST", options->host, "the machine: a name or an address, with :PORT if it is not 22")
      ->required()
      ->check(not_empty);
  add_host_options(*verb, *options);
  add_json_option(*verb, globals);
  verb->footer(
      examples({{"status", "mail.example.org", "--spec", "site/mail.yaml"}},
               "The exit code is 1 if anything is wrong: the proof has failed, the slot is on trial, "
               "a service has failed, the disk is nearly full, or the certificate expires soon."));
  verb->callback([&globals, options] {
    globals.work = [&globals, options]() -> Status {
      TRY(const update::Remote remote, reach(*options));
      TRY(const update::Facts facts, update::ask_status(remote));
      const std::int64_t now = globals.options.now;
      if (globals.json)
        fmt::print("{}", json_document(json_of(facts, now)));
      else
        print_facts(facts, now);
      if (!update::complaints(facts, now).empty()) globals.exit_code = 1;
      return ok();
    };
  });
}

}  // namespace mailstead::cli
