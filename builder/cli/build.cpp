// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/build.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/json.hpp"
#include "cli/command.hpp"

namespace mailstead::cli {
namespace {

void print_result(const pipeline::BuildResult& result, bool json) {
  if (json) {
    // A file may have any bytes as its name.
    const nlohmann::ordered_json object = {
        {"image", result.image.string()},        {"size", result.size},
        {"allocated", result.allocated},         {"base", result.base},
        {"usr_root_hash", result.usr_root_hash}, {"root_root_hash", result.root_root_hash}};
    fmt::print("{}", json_document(object));
    return;
  }
  fmt::print("image      {}\n", result.image.string());
  fmt::print("size       {} ({} without holes)\n", human_size(result.size), human_size(result.allocated));
  fmt::print("base       {}\n", result.base);
  fmt::print("usr hash   {}\n", result.usr_root_hash);
  fmt::print("root hash  {}\n", result.root_root_hash);
}

}  // namespace

void add_build(CLI::App& app, Globals& globals) {
  CLI::App* verb =
      app.add_subcommand("build", "build the disk image of a site; create the lock if there is none");
  auto request = std::make_shared<pipeline::BuildRequest>();
  add_spec_argument(*verb, request->spec);
  verb->add_option("-o,--output", request->image,
                   "the image to write (default: HOSTNAME.img in the current folder)")
      ->type_name("FILE")
      ->check(not_empty);
  verb->add_option(
          "--provenance", request->provenance,
          "also write what the image was built from to this file (in-toto statement, SLSA provenance v1)")
      ->type_name("FILE")
      ->check(not_empty);
  add_profile_option(*verb, globals);
  add_archive_options(*verb, globals);
  add_snapshot_option(*verb, globals);
  add_json_option(*verb, globals);
  verb->footer(examples({{"build", "site/mail.yaml", "-o", "mail.img"}}));
  verb->callback([&globals, request] {
    globals.work = [&globals, request]() -> Status {
      TRY(const auto result, pipeline::build(*request, globals.options, *globals.reporter));
      print_result(result, globals.json);
      return ok();
    };
  });
}

}  // namespace mailstead::cli
