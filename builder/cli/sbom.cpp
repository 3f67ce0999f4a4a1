// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/sbom.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/output.hpp"
#include "cli/command.hpp"
#include "inspect/appliance.hpp"

namespace mailstead::cli {

void add_sbom(CLI::App& app, Globals& globals) {
  struct Choices {
    std::filesystem::path image;
    std::filesystem::path output;
    std::string format = "spdx";
  };
  CLI::App* verb = app.add_subcommand("sbom", "print a bill of materials of an image (SPDX or CycloneDX)");
  auto choices = std::make_shared<Choices>();
  verb->add_option("IMAGE", choices->image, "the disk image")->required()->check(not_empty);
  verb->add_option("--format", choices->format, "spdx (2.3) or cyclonedx (1.6), both JSON (default: spdx)")
      ->check(CLI::IsMember({"spdx", "cyclonedx"}));
  verb->add_option("-o,--output", choices->output, "write to this file instead of standard output (-)")
      ->type_name("FILE")
      ->check(not_empty);
  verb->footer(examples({{"sbom", "mail.img", "--format", "cyclonedx", "-o", "sbom.json"}}));
  verb->callback([&globals, choices] {
    globals.work = [choices]() -> Status {
      CHECK_OK(require_disk_image(choices->image));
      const bool to_stdout = choices->output.empty() || choices->output == "-";
      if (!to_stdout) {
        TRY(choices->output, document_file(choices->output));
      }
      TRY(const auto image, inspect::DiskImage::open(choices->image));
      TRY(const auto facts, inspect::read_public_facts(image));
      const std::string bill =
          choices->format == "spdx" ? inspect::to_spdx(facts) : inspect::to_cyclonedx(facts);
      if (!to_stdout) return write_file(choices->output, bill);
      fmt::print("{}", bill);
      return ok();
    };
  });
}

}  // namespace mailstead::cli
