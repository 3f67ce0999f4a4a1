// SPDX-License-Identifier: GPL-3.0-or-later
#include "inspect/diff.hpp"

#include <fmt/format.h>

#include "cli/command.hpp"

namespace mailstead::cli {

void add_diff(CLI::App& app, Globals& globals) {
  struct Choices {
    std::filesystem::path before;
    std::filesystem::path after;
  };
  CLI::App* verb = app.add_subcommand(
      "diff", "compare two images: packages, files, configuration, sizes, boot (exit code 1 if they differ)");
  auto choices = std::make_shared<Choices>();
  verb->add_option("A", choices->before, "a disk image")->required()->check(not_empty);
  verb->add_option("B", choices->after, "another disk image")->required()->check(not_empty);
  add_json_option(*verb, globals);
  verb->footer(examples({{"diff", "old.img", "new.img"}}));
  verb->callback([&globals, choices] {
    globals.work = [&globals, choices]() -> Status {
      CHECK_OK(require_disk_image(choices->before));
      CHECK_OK(require_disk_image(choices->after));
      TRY(const auto before, inspect::DiskImage::open(choices->before));
      TRY(const auto after, inspect::DiskImage::open(choices->after));
      TRY(const auto difference, inspect::diff_images(before, after));
      fmt::print("{}", globals.json ? inspect::to_json(difference) : inspect::describe(difference));
      globals.exit_code = difference.empty() ? 0 : 1;
      return ok();
    };
  });
}

}  // namespace mailstead::cli
