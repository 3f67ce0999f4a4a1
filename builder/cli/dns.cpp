// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "cli/command.hpp"
#include "dns/zone.hpp"
#include "pipeline/project.hpp"
#include "render/services.hpp"

namespace mailstead::cli {

void add_dns(CLI::App& app, Globals& globals) {
  CLI::App* verb =
      app.add_subcommand("dns", "print the DNS records to publish, as a zone file or with --json");
  auto spec = std::make_shared<std::filesystem::path>();
  add_spec_argument(*verb, *spec);
  add_json_option(*verb, globals);
  verb->footer(examples({{"dns", "site/mail.yaml"}}));
  verb->callback([&globals, spec] {
    globals.work = [&globals, spec]() -> Status {
      TRY(const auto project, pipeline::open_project(*spec, globals.options));
      const spec::Site& site = project.site;
      for (const Error& warning : site.warnings) globals.reporter->warning(format_error_line(warning));
      TRY(const auto services, render::site_services(site, project.platform.overlays));
      TRY(const auto records, dns::zone_records(site, services));
      fmt::print("{}", globals.json ? dns::to_json(records) : dns::to_master_file(records));
      if (!globals.json)
        globals.reporter->info(fmt::format("{} explains each record and what else to set up.",
                                           document("mail-administrator.md")));
      return ok();
    };
  });
}

}  // namespace mailstead::cli
