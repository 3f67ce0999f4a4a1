// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline/build.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "cli/command.hpp"
#include "pipeline/provenance.hpp"

namespace mailstead::cli {
namespace {

void print_result(const pipeline::BuildResult& result, bool json) {
  if (json) {
    const nlohmann::ordered_json object = {
        {"image", result.image.string()},        {"size", result.size},
        {"allocated", result.allocated},         {"base", result.base},
        {"usr_root_hash", result.usr_root_hash}, {"root_root_hash", result.root_root_hash}};
    fmt::print("{}\n", object.dump(2));
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
      app.add_subcommand("build", "build the disk image of a site; makes the lock if there is none");
  auto spec = std::make_shared<std::filesystem::path>();
  auto image = std::make_shared<std::filesystem::path>();
  auto provenance = std::make_shared<std::filesystem::path>();
  add_spec_argument(*verb, *spec);
  verb->add_option("-o,--output", *image, "the image to write")->required()->check(not_empty);
  verb->add_option(
          "--provenance", *provenance,
          "also write to this file what the image was made from (in-toto statement, SLSA provenance v1)")
      ->check(not_empty);
  add_profile_option(*verb, globals);
  add_archive_options(*verb, globals);
  add_snapshot_option(*verb, globals);
  add_json_option(*verb, globals);
  verb->callback([&globals, spec, image, provenance] {
    globals.work = [&globals, spec, image, provenance]() -> Status {
      if (!provenance->empty()) {
        CHECK_OK(require_document_place(*provenance));
        if (std::filesystem::absolute(*provenance).lexically_normal() ==
            std::filesystem::absolute(*image).lexically_normal())
          return fail(ErrorKind::usage, "the image and its provenance have the same name",
                      "name another file");
      }
      TRY(const auto result, pipeline::build(*spec, *image, globals.options, *globals.reporter));
      if (!provenance->empty())
        CHECK_OK(pipeline::write_provenance(*spec, result, *provenance, *globals.reporter));
      print_result(result, globals.json);
      return ok();
    };
  });
}

}  // namespace mailstead::cli
