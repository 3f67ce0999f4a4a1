// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "lock/lock_file.hpp"
#include "pipeline/public_part.hpp"

namespace mailstead::cli {

void print_public_part(const image::PublicDigests& digests, bool json) {
  if (json) {
    nlohmann::ordered_json parts = nlohmann::ordered_json::array();
    for (const image::PublicPart& part : digests.parts)
      parts.push_back({{"name", part.name}, {"size", part.size}, {"sha256", part.sha256}});
    const nlohmann::ordered_json object = {
        {"base", digests.base}, {"usr_root_hash", digests.usr_root_hash}, {"parts", std::move(parts)}};
    fmt::print("{}", json_document(object));
    return;
  }
  fmt::print("base      {}\n", digests.base);
  fmt::print("usr hash  {}\n", digests.usr_root_hash);
  for (const image::PublicPart& part : digests.parts)
    fmt::print("{:<8}  {} {}\n", part.name, part.sha256, part.size);
}

void add_base(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand(
      "base",
      "build only the public part of an image, which needs no spec and no secret, and print its digests");
  auto lock = std::make_shared<std::filesystem::path>();
  auto folder = std::make_shared<std::filesystem::path>();
  verb->add_option("LOCK", *lock, "the lock that pins the packages (mailstead.lock)")
      ->required()
      ->check(not_empty);
  verb->add_option("--profile", globals.options.profile, "the kind of machine (see profiles/); required")
      ->type_name("NAME");
  verb->add_option("-o,--output", *folder, "also copy its files to this new folder")
      ->type_name("DIR")
      ->check(not_empty);
  add_archive_options(*verb, globals);
  add_snapshot_option(*verb, globals);
  add_json_option(*verb, globals);
  verb->footer(
      examples({{"base", "site/mailstead.lock", "--profile", "NAME"}, {"inspect", "--base", "mail.img"}},
               "Both print the same digests if the image was built from that lock."));
  verb->callback([&globals, lock, folder] {
    globals.work = [&globals, lock, folder]() -> Status {
      if (!folder->empty()) CHECK_OK(pipeline::require_export_place(*folder));
      TRY([[maybe_unused]] const lock::Lock given, lock::load_lock(*lock));
      if (globals.options.profile.empty())
        return fail(ErrorKind::usage, "--profile is required",
                    fmt::format("`{}` describes it", own_command({"help", "base"})));
      TRY(const auto platform, pipeline::open_platform(globals.options.profile));
      TRY(const auto locked, pipeline::load_lock_for(platform, *lock));
      TRY(const auto made,
          pipeline::get_public_part(platform, locked, "SPEC", globals.options, *globals.reporter));
      if (!folder->empty()) CHECK_OK(pipeline::export_base(made.base, *folder));
      print_public_part({made.base.id, made.base.usr.root_hash, made.base.parts}, globals.json);
      return ok();
    };
  });
}

}  // namespace mailstead::cli
