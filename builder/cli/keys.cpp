// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys/keys.hpp"

#include <fmt/format.h>

#include "cli/command.hpp"
#include "spec/load.hpp"

namespace mailstead::cli {

void add_keys(CLI::App& app, Globals& globals) {
  CLI::App* verb = app.add_subcommand(
      "keys", "make the site's missing DKIM and TLS keys; existing ones are never touched");
  auto spec = std::make_shared<std::filesystem::path>();
  add_spec_argument(*verb, *spec);
  verb->callback([&globals, spec] {
    globals.work = [&globals, spec]() -> Status {
      TRY(const spec::Site site, spec::load_site(*spec));
      TRY(const auto made, keys::make_missing_keys(site));
      for (const auto& path : made) fmt::print("{}\n", path.string());
      globals.reporter->info(
          made.empty() ? "All keys were there already."
                       : fmt::format("{} file{} made. Keep them secret and safe; git leaves them out.",
                                     made.size(), made.size() == 1 ? "" : "s"));
      return ok();
    };
  });
}

}  // namespace mailstead::cli
