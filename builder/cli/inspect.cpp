// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <unistd.h>

#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "inspect/appliance.hpp"
#include "inspect/public_part.hpp"
#include "inspect/report.hpp"
#include "inspect/root_hashes.hpp"

namespace mailstead::cli {
namespace {

/// Columns to fill on stdout.
std::size_t report_width() {
  const std::size_t width = terminal_width(STDOUT_FILENO);
  return width == 0 ? 80 : width;
}

/// An error if the image says otherwise of itself than its bytes.
Status require_match(const inspect::DiskImage& image, std::vector<std::string> mismatches, const char* hint) {
  if (mismatches.empty()) return ok();
  Error error{ErrorKind::integrity,
              fmt::format("{} is not what it says of itself", image.disk().path().string()),
              {},
              hint,
              std::move(mismatches),
              {}};
  return fail(std::move(error));
}

/// The public part by the image's own bytes; an error afterwards if the image says otherwise of itself.
Status print_measured_base(const inspect::DiskImage& image, const inspect::Appliance& appliance, bool json) {
  TRY(inspect::MeasuredPublicPart part, inspect::measure_public_part(image, appliance));
  print_public_part(part.measured, json);
  return require_match(image, std::move(part.mismatches), "the result above is what its bytes say");
}

/// All else, with the root hashes that the contents have; an error afterwards if they are not those that the
/// machine would be started with.
Status print_appliance(const inspect::DiskImage& image, inspect::Appliance appliance, bool json,
                       bool packages) {
  inspect::Slot& slot = appliance.slots[appliance.current];
  TRY(slot.measured, inspect::measure_root_hashes(image, appliance.current, slot));
  fmt::print("{}",
             json ? inspect::to_json(appliance) : inspect::describe(appliance, report_width(), packages));
  return require_match(image, inspect::hash_mismatches(slot),
                       "the machine would refuse to read these contents");
}

}  // namespace

void add_inspect(CLI::App& app, Globals& globals) {
  struct Choices {
    std::filesystem::path image;
    bool base = false;
    bool packages = false;
  };
  CLI::App* verb = app.add_subcommand(
      "inspect", "show the contents of an image: partitions, slots, packages, services, ports, hashes");
  auto choices = std::make_shared<Choices>();
  verb->add_option("IMAGE", choices->image, "the disk image")->required()->check(not_empty);
  auto* base = verb->add_flag("--base", choices->base,
                              "hash its public part and print what `base` prints for the same lock");
  verb->add_flag("--packages", choices->packages,
                 "list the packages with their versions and where they are used")
      ->excludes(base);
  add_json_option(*verb, globals);
  verb->footer(examples({{"inspect", "mail.img"}, {"inspect", "mail.img", "--packages"}}));
  verb->callback([&globals, choices] {
    globals.work = [&globals, choices]() -> Status {
      CHECK_OK(require_disk_image(choices->image));
      TRY(const auto image, inspect::DiskImage::open(choices->image));
      TRY(auto appliance, inspect::read_appliance(image));
      if (choices->base) return print_measured_base(image, appliance, globals.json);
      return print_appliance(image, std::move(appliance), globals.json, choices->packages);
    };
  });
}

}  // namespace mailstead::cli
