// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/keys.hpp"

#include <fmt/format.h>

#include "cli/command.hpp"
#include "spec/load.hpp"

namespace mailstead::cli {

void add_keys(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand(
      "keys", "create the missing DKIM, TLS and update keys of a site; existing keys are never changed");
  auto spec = std::make_shared<std::filesystem::path>();
  add_spec_argument(*verb, *spec);
  verb->footer(examples({{"keys", "site/mail.yaml"}}));
  verb->callback([&globals, spec] {
    globals.work = [&globals, spec]() -> Status {
      TRY(const spec::Site site, spec::load_site(*spec));
      TRY(const auto made, keys::make_missing_keys(site));
      for (const auto& path : made) fmt::print("{}\n", path.string());
      globals.reporter->info(
          made.empty() ? "All keys exist already."
                       : fmt::format("{} file{} created. Keep them secret and safe; git ignores them.",
                                     made.size(), made.size() == 1 ? "" : "s"));
      return ok();
    };
  });
}

}  // namespace mailstead::cli
