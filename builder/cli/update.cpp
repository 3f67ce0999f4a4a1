// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/update.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/printable.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "cli/host.hpp"
#include "update/writer.hpp"

namespace mailstead::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;
using image::slot_letter;

std::string way_back(const std::string& disk) {
  return own_command({"rollback", "--disk", disk});
}

void print_update(const update::Plan& plan, const update::ProvedImage& proved, const update::Written& written,
                  const std::string& disk) {
  const auto line = [](std::string_view name, const std::string& text) {
    fmt::print("{:<11}{}\n", name, text);
  };
  line("disk", printable(fmt::format("{}, of {}", disk, proved.hostname)));
  line("root hash", proved.root_hash);
  if (plan.kind == update::Kind::none) {
    line("written", fmt::format("nothing: slot {} has this image already", slot_letter(plan.stays)));
    return;
  }
  line("written",
       fmt::format("{}: {} of {} differed",
                   plan.kind == update::Kind::whole ? std::string("the whole image")
                                                    : fmt::format("slot {}", slot_letter(plan.slot())),
                   human_size(written.written), human_size(written.compared)));
  if (plan.kind == update::Kind::whole) {
    line("next start", plan.has_data ? "slot A, with the data that are on the disk"
                                     : "slot A, which makes the data partition");
    return;
  }
  line("next start",
       fmt::format("slot {}, on trial: unless it has proved itself within {} starts, slot {} is "
                   "started again",
                   slot_letter(plan.slot()), image::kMostTries, slot_letter(plan.stays)));
  line("go back", way_back(disk));
}

Json to_json(const update::Plan& plan, const update::ProvedImage& proved, const update::Written& written,
             const std::string& disk) {
  const char* kinds[] = {"none", "slot", "whole"};
  Json json = {{"disk", disk},
               {"hostname", proved.hostname},
               {"root_hash", proved.root_hash},
               {"written", kinds[static_cast<int>(plan.kind)]},
               {"bytes_compared", written.compared},
               {"bytes_written", written.written}};
  const char proven = plan.kind == update::Kind::whole ? 'a' : plan.stays;
  const bool trial = plan.kind == update::Kind::slot;
  json["slot"] = std::string(1, proven);
  json["trial"] = trial ? Json(std::string(1, plan.slot())) : Json(nullptr);
  json["tries_left"] = trial ? image::kMostTries : 0;
  return json;
}

Status update_disk(const fs::path& file, const fs::path& name, Globals& globals) {
  CHECK_OK(require_disk_image(file));
  TRY(update::Target target, update::Target::open(name));
  if (target.is(file))
    return fail(ErrorKind::usage, fmt::format("{} and {} are the same", file.string(), name.string()),
                "name the disk of the machine behind --disk");
  TRY(const disk::Disk image, disk::Disk::open(file));
  TRY(const disk::Disk disk, disk::Disk::open(target.path()));
  Reporter& reporter = *globals.reporter;
  TRY(const update::ProvedImage proved, update::prove_image(image, reporter));
  TRY(const update::Plan plan, update::plan_update(image, proved, disk, reporter));
  if (plan.kind == update::Kind::slot && !plan.stays_sound)
    reporter.warning(
        fmt::format("both slots of {} are damaged: there is nothing to go back to", name.string()));
  else if (plan.kind == update::Kind::slot && plan.stays != plan.before.slot)
    reporter.warning(fmt::format("slot {} of {} is damaged and is written; slot {} stays",
                                 slot_letter(plan.before.slot), name.string(), slot_letter(plan.stays)));
  TRY(const update::Written written, update::carry_out(plan, image, proved, disk, target, reporter));
  if (globals.json)
    fmt::print("{}", json_document(to_json(plan, proved, written, name.string())));
  else
    print_update(plan, proved, written, name.string());
  return ok();
}

Status roll_back(const fs::path& name, Globals& globals) {
  TRY(update::Target target, update::Target::open(name));
  TRY(const disk::Disk disk, disk::Disk::open(target.path()));
  TRY(const update::WayBack way, update::plan_way_back(disk, *globals.reporter));
  CHECK_OK(update::write_state(disk, way.esp, way.after, target));
  if (globals.json) {
    fmt::print("{}", json_document(Json{
                         {"disk", name.string()},
                         {"hostname", way.hostname},
                         {"root_hash", way.root_hash},
                         {"slot", std::string(1, way.after.slot)},
                         {"trial", way.after.trial ? Json(std::string(1, *way.after.trial)) : Json(nullptr)},
                         {"tries_left", way.after.tries}}));
    return ok();
  }
  fmt::print("{:<11}{}\n", "disk", printable(fmt::format("{}, of {}", name.string(), way.hostname)));
  fmt::print("{:<11}{}\n", "was", image::describe(way.before));
  fmt::print("{:<11}slot {}{}, root hash {}\n", "next start", slot_letter(way.after.next()),
             way.after.on_trial() ? ", on trial" : "", way.root_hash);
  return ok();
}

void add_disk_option(CLI::App& verb, fs::path& disk) {
  verb.add_option("--disk", disk,
                  "the disk of a machine that is switched off, or the raw file of a virtual machine's disk")
      ->type_name("DISK")
      ->check(not_empty);
}

/// A machine is a disk or a host.
Status require_one(bool disk, bool host, const std::string& verb, const std::string& how) {
  if (disk != host) return ok();
  return fail(
      ErrorKind::usage,
      fmt::format("`{}` {}", verb, disk ? "takes a disk or a host, not both" : "needs a disk or a host"),
      how);
}

}  // namespace

void add_update(CLI::App& app, Globals& globals) {
  struct Choices {
    fs::path image;
    fs::path disk;
    HostOptions host;
    bool allow_older = false;
    bool no_wait = false;
  };
  CLI::App* verb = app.add_subcommand(
      "update", "bring an image to a machine, by SSH or to its disk, and keep its mail and the old image");
  auto choices = std::make_shared<Choices>();
  verb->add_option("IMAGE", choices->image, "the new image, which `build` wrote")
      ->required()
      ->check(not_empty);
  verb->add_option(
          "--to", choices->host.host,
          "the machine, running and reached by SSH: a name or an address, with :PORT if it is not 22")
      ->type_name("HOST")
      ->check(not_empty);
  add_host_options(*verb, choices->host);
  verb->add_flag("--allow-older", choices->allow_older, "with --to: even if its packages are older");
  verb->add_flag("--no-wait", choices->no_wait, "with --to: end when the machine restarts");
  add_disk_option(*verb, choices->disk);
  add_json_option(*verb, globals);
  verb->footer(examples(
      {{"update", "mail.img", "--to", "mail.example.org", "--spec", "site/mail.yaml"},
       {"update", "mail.img", "--disk", "/dev/sdX"}},
      "The image becomes the slot that is not in use and is started on trial; the slot in use stays "
      "as it is. Only what differs is sent, and the command waits until the new image has proved "
      "itself by real mail, or the machine is back on the old one (exit code 1). An empty disk, or one "
      "that has only the data of the site, gets all of the image. "
      "The data are never touched, and a disk that holds anything else is refused."));
  verb->callback([&globals, choices] {
    globals.work = [&globals, choices]() -> Status {
      CHECK_OK(require_one(!choices->disk.empty(), !choices->host.host.empty(), "update",
                           "name the machine with --to, or its disk with --disk"));
      if (choices->disk.empty())
        return update_host(choices->image, choices->host, choices->allow_older, !choices->no_wait, globals);
      return update_disk(choices->image, choices->disk, globals);
    };
  });
}

void add_rollback(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand(
      "rollback", "have a machine start the image that it had before, by SSH or on its disk");
  struct Choices {
    fs::path disk;
    HostOptions host;
    bool no_wait = false;
  };
  auto choices = std::make_shared<Choices>();
  verb->add_option(
          "HOST", choices->host.host,
          "the machine, running and reached by SSH: a name or an address, with :PORT if it is not 22")
      ->check(not_empty);
  add_host_options(*verb, choices->host);
  verb->add_flag("--no-wait", choices->no_wait, "with HOST: end when the machine restarts");
  add_disk_option(*verb, choices->disk);
  add_json_option(*verb, globals);
  verb->footer(examples(
      {{"rollback", "mail.example.org", "--spec", "site/mail.yaml"}, {"rollback", "--disk", "/dev/sdX"}},
      "Ends a trial, if one is on. Otherwise the other slot is put on trial: it is kept only "
      "after it has proved itself, like a new image."));
  verb->callback([&globals, choices] {
    globals.work = [&globals, choices]() -> Status {
      CHECK_OK(require_one(!choices->disk.empty(), !choices->host.host.empty(), "rollback",
                           "name the machine, or its disk with --disk"));
      if (choices->disk.empty()) return roll_back_host(choices->host, !choices->no_wait, globals);
      return roll_back(choices->disk, globals);
    };
  });
}

}  // namespace mailstead::cli
