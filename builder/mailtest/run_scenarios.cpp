// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/run_scenarios.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "mailtest/enclosure.hpp"
#include "mailtest/machine_appliance.hpp"
#include "mailtest/needs.hpp"
#include "mailtest/player.hpp"
#include "mailtest/table.hpp"
#include "mailtest/world.hpp"
#include "vm/accelerator.hpp"

namespace mailstead::mailtest {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

struct Scenario {
  std::string name;
  Dialogue dialogue;
};

/// A folder of qemu-tests/ with those of its scenarios that were selected.
struct Suite {
  std::string name;
  WorldPlan world;
  std::vector<Scenario> scenarios;
};

bool is_asked_for(const std::string& name, const std::vector<std::string>& only) {
  return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& part) {
           return name.find(part) != std::string::npos;
         });
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

Result<std::vector<Suite>> load_suites(const Options& options) {
  std::vector<Suite> suites;
  std::vector<Error> errors;
  for (const fs::path& folder : sorted_entries(options.scenarios)) {
    if (!fs::exists(folder / "world")) continue;
    Suite suite{folder.filename().string(), {}, {}};
    TRY(const std::string world, read_file(folder / "world", 1 << 20));
    if (auto plan = parse_world(world, (folder / "world").string()))
      suite.world = *std::move(plan);
    else
      errors.push_back(std::move(plan).error());
    for (const fs::path& file : sorted_entries(folder)) {
      const std::string name = suite.name + "/" + file.stem().string();
      if (file.extension() != ".dialogue" || !is_asked_for(name, options.only)) continue;
      TRY(const std::string text, read_file(file, 2 << 20));
      auto dialogue = parse_dialogue(text, file.string());
      if (dialogue)
        if (auto status = find_companions(*dialogue, folder, options.oracles.parent_path(),
                                          options.surroundings ? options.surroundings->tables : SiteTables());
            !status)
          dialogue = fail(std::move(status).error());
      if (dialogue)
        suite.scenarios.push_back({name, *std::move(dialogue)});
      else
        errors.push_back(std::move(dialogue).error());
    }
    std::stable_partition(suite.scenarios.begin(), suite.scenarios.end(),
                          [](const Scenario& s) { return !s.dialogue.own_machine; });
    if (!suite.scenarios.empty()) suites.push_back(std::move(suite));
  }
  if (!errors.empty()) return fail(join_errors(std::move(errors)));
  if (suites.empty())
    return fail(ErrorKind::usage, "no scenario of that name in " + options.scenarios.string());
  return suites;
}

bool is_own(const Suite& suite, const Options& options) {
  return suite.world.site == options.site;
}

/// Whether the suite is for any site, and this one has none of its own or it is asked for.
bool takes_its_place(const Suite& suite, const std::vector<Suite>& suites, const Options& options) {
  if (suite.world.site != kAnySite) return false;
  return std::ranges::any_of(options.only,
                             [&](const std::string& part) { return part.starts_with(suite.name); }) ||
         std::ranges::none_of(suites, [&](const Suite& one) { return is_own(one, options); });
}

/// Removes the suites for other appliances: their dialogues use domains and accounts that this one lacks.
Result<std::vector<LeftOut>> keep_suites_of_site(std::vector<Suite>& suites, const Options& options) {
  for (Suite& suite : suites) {
    if (!takes_its_place(suite, suites, options)) continue;
    if (!options.surroundings) return fail(options.surroundings.error());
    surround(suite.world, *options.surroundings, options.site);
    suite.world.site = options.site;
  }
  std::erase_if(suites, [](const Suite& suite) { return suite.world.site == kAnySite; });
  std::vector<LeftOut> left_out;
  std::string others;
  for (const Suite& suite : suites) {
    if (is_own(suite, options)) continue;
    left_out.push_back({suite.name, suite.world.site});
    others += fmt::format("{}'{}' is for {}", others.empty() ? "" : ", ", suite.name, suite.world.site);
  }
  if (left_out.size() == suites.size())
    return fail(
        ErrorKind::usage,
        fmt::format("no scenario in {} is for {}: {}", options.scenarios.string(), options.site, others),
        fmt::format("write a folder of dialogues with 'site {}' in its file world, and pass the folder "
                    "above it with --scenarios",
                    options.site));
  std::erase_if(suites, [&](const Suite& suite) { return !is_own(suite, options); });
  return left_out;
}

std::string rfc5322_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &utc);
  return text;
}

/// Variables of every dialogue.
Variables common_variables(const WorldPlan& world, const Options& options) {
  Variables variables = options.variables;
  if (options.surroundings)
    variables.insert(options.surroundings->variables.begin(), options.surroundings->variables.end());
  if (world.network.v4) variables["appliance"] = world.network.v4->address;
  if (world.network.v6) variables["appliance6"] = world.network.v6->address;
  variables["date"] = rfc5322_date();
  // Distinguishes the messages of a scenario from those of others, also if a machine is used twice.
  variables["unique"] = fmt::format("{:08x}", std::random_device{}());
  return variables;
}

/// Whether every dialogue has the variables that it needs, before minutes are spent on booting.
Status check_variables(const std::vector<Suite>& suites, const Options& options) {
  constexpr std::string_view kPassword = "password:";
  std::set<std::string> accounts;
  std::map<std::string, std::string> others;  // and the first scenario that needs it
  for (const Suite& suite : suites) {
    const Variables given = common_variables(suite.world, options);
    for (const Scenario& scenario : suite.scenarios) {
      for (const std::string& name : needed_variables(scenario.dialogue)) {
        if (given.contains(name)) continue;
        if (name.starts_with(kPassword))
          accounts.insert(name.substr(kPassword.size()));
        else
          others.emplace(name, scenario.name);
      }
    }
  }
  std::vector<Error> errors;
  if (!accounts.empty())
    errors.push_back(Error{ErrorKind::usage,
                           fmt::format("the dialogues log in as {}", fmt::join(accounts, ", ")),
                           {},
                           "give their passwords by --passwords FILE, in lines \"address password\"",
                           {},
                           {}});
  for (const auto& [name, scenario] : others)
    errors.push_back(Error{ErrorKind::usage,
                           fmt::format("the variable '{}' of {} has no value", name, scenario),
                           {},
                           fmt::format("give it one by --set {}=VALUE", name),
                           {},
                           {}});
  if (!errors.empty()) return fail(join_errors(std::move(errors)));
  return ok();
}

Json to_json(const Summary& summary) {
  Json json = {{"scenarios", Json::array()}, {"boots", Json::array()}};
  for (const ScenarioResult& s : summary.scenarios)
    json["scenarios"].push_back({{"name", s.name},
                                 {"title", s.title},
                                 {"passed", s.passed},
                                 {"duration", s.duration.count()},
                                 {"failure", s.failure}});
  for (const BootTimes& b : summary.boots)
    json["boots"].push_back({{"folder", b.scenario_folder},
                             {"firmware", b.firmware},
                             {"accelerator", b.accelerator},
                             {"smtp", b.to_smtp.count()},
                             {"imaps", b.to_imaps.count()},
                             {"slowness", b.slowness}});
  return json;
}

void add_from_json(const Json& json, Summary& summary) {
  using std::chrono::milliseconds;
  for (const Json& s : json.at("scenarios"))
    summary.scenarios.push_back({s.at("name"), s.at("title"), s.at("passed"),
                                 milliseconds(s.at("duration").get<std::int64_t>()), s.at("failure")});
  for (const Json& b : json.at("boots"))
    summary.boots.push_back({b.at("folder"), b.at("firmware"), b.at("accelerator"),
                             milliseconds(b.at("smtp").get<std::int64_t>()),
                             milliseconds(b.at("imaps").get<std::int64_t>()), b.at("slowness")});
}

/// Plays the scenarios of one folder, inside the enclosure.
class SuiteRun {
 public:
  SuiteRun(const Suite& suite, const Options& options, vm::Accelerator accelerator, Reporter& reporter)
      : suite_(suite),
        options_(options),
        accelerator_(accelerator),
        reporter_(reporter),
        folder_(options.folder / suite.name) {}

  Result<Summary> run() {
    CHECK_OK(make_directories(folder_));
    // The overlay and the logs hold the site's mail and keys.
    std::error_code error;
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
    if (error)
      return fail(ErrorKind::io, fmt::format("cannot protect {}: {}", folder_.string(), error.message()));
    std::vector<DnsRecord> zone;
    if (!options_.zone_json.empty()) {
      TRY(zone, records_from_json(options_.zone_json));
    }
    TRY(world_, World::start(suite_.world, zone, folder_, options_.time_scale));
    for (const Scenario& scenario : suite_.scenarios) {
      if (scenario.dialogue.own_machine) finish_machine();
      CHECK_OK(play(scenario));
      if (scenario.dialogue.own_machine) finish_machine();
    }
    finish_machine();
    return std::move(summary_);
  }

 private:
  Status boot_if_off(const Dialogue& dialogue) {
    if (!appliance_) {
      vm::MachineOptions machine;
      machine.image = options_.image;
      machine.folder = dialogue.own_machine ? folder_ / fs::path(dialogue.file).stem() : folder_;
      machine.accelerator = accelerator_;
      static_cast<vm::Hardware&>(machine) = dialogue.own_machine ? dialogue.hardware : suite_.world.hardware;
      machine.network = world_->cards();
      machine.memory_mib = options_.memory_mib;
      machine.cpus = options_.cpus;
      CHECK_OK(make_directories(machine.folder));
      TRY(appliance_,
          MachineAppliance::create(std::move(machine), suite_.name, suite_.world.network.address(),
                                   options_.time_scale, summary_.boots));
      failed_since_ = summary_.scenarios.size();
    }
    if (dead_)
      return fail(ErrorKind::tool, "the machine of this folder's scenarios did not start: not played");
    if (appliance_->running() || dialogue.starts_off) return ok();
    auto activity = reporter_.start("booting");
    CHECK_OK(appliance_->power_on());
    const auto patience =
        std::chrono::duration_cast<Clock::duration>(std::chrono::minutes(10) * options_.time_scale);
    dead_ = !dialogue.own_machine;
    CHECK_OK(appliance_->wait_boot(Clock::now() + patience));
    dead_ = false;
    const BootTimes& boot = summary_.boots.back();
    activity->set_result(fmt::format("SMTP after {:.1f} s, IMAPS after {:.1f} s",
                                     std::chrono::duration<double>(boot.to_smtp).count(),
                                     std::chrono::duration<double>(boot.to_imaps).count()));
    if (const double slowness = appliance_->slowness(); slowness > 1.1)
      reporter_.info(fmt::format("emulation is slow here: time limits are multiplied by {:.1f}", slowness));
    return ok();
  }

  Status play(const Scenario& scenario) {
    auto activity = reporter_.start(scenario.name + ": " + scenario.dialogue.title);
    const auto start = Clock::now();
    Status status = boot_if_off(scenario.dialogue);
    if (status) {
      Stage stage;
      stage.appliance = appliance_.get();
      stage.inbox = &world_->inbox();
      stage.variables = common_variables(suite_.world, options_);
      stage.zone_json = options_.zone_json;
      stage.oracles = options_.oracles;
      stage.folder = folder_;
      stage.time_scale = options_.time_scale;
      status = Player(std::move(stage)).play(scenario.dialogue);
    }
    CHECK_OK(check_interrupt());
    ScenarioResult result{scenario.name,
                          scenario.dialogue.title,
                          status.has_value(),
                          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start),
                          {}};
    if (!status) result.failure = describe(status.error());
    if (result.passed)
      activity->set_result("passed");
    else
      activity->set_failed("");
    summary_.scenarios.push_back(std::move(result));
    return ok();
  }

  std::string describe(const Error& error) const {
    std::string text = format_error(error);
    if (appliance_)
      text += fmt::format("the end of the console ({}):\n{}\n", appliance_->serial_log().string(),
                          vm::tail(appliance_->serial_log(), 25));
    if (const std::string addresses = world_->address_log(25); !addresses.empty())
      text += "the end of the gateway's log about addresses:\n" + addresses;
    return text;
  }

  /// Switches the machine off and adds the end of its journal to the reports of what failed on it.
  void finish_machine() {
    if (!appliance_) return;
    const bool failed = std::any_of(summary_.scenarios.begin() + static_cast<std::ptrdiff_t>(failed_since_),
                                    summary_.scenarios.end(), [](const auto& s) { return !s.passed; });
    if (failed && !interrupted()) {
      if (appliance_->running())
        (void)appliance_->power_off();  // killed if it does not react; the journal shows why
      std::string end;
      if (const auto journal = appliance_->journal())
        end = fmt::format("the end of the journal ({}):\n{}\n", appliance_->journal_file().string(),
                          vm::tail(appliance_->journal_file(), 60));
      else
        end = "the journal could not be read: " + format_error(journal.error());
      for (auto s = summary_.scenarios.rbegin(); s != summary_.scenarios.rend(); ++s)
        if (!s->passed) {
          s->failure += end;
          break;
        }
    }
    appliance_.reset();
    dead_ = false;
  }

  const Suite& suite_;
  const Options& options_;
  const vm::Accelerator accelerator_;
  Reporter& reporter_;
  const fs::path folder_;
  Summary summary_;
  std::size_t failed_since_ = 0;
  bool dead_ = false;  ///< the shared machine did not start: waiting for its answers again is useless
  std::unique_ptr<World> world_;
  std::unique_ptr<MachineAppliance> appliance_;
};

}  // namespace

bool Summary::passed() const {
  return !scenarios.empty() &&
         std::all_of(scenarios.begin(), scenarios.end(), [](const auto& s) { return s.passed; });
}

Result<Summary> run_scenarios(const Options& options, Reporter& reporter) {
  TRY(std::vector<Suite> suites, load_suites(options));
  Summary summary;
  TRY(summary.left_out, keep_suites_of_site(suites, options));
  for (const LeftOut& other : summary.left_out)
    reporter.info(fmt::format("skipped: the scenarios of '{}' are for {}", other.folder, other.site));
  CHECK_OK(check_variables(suites, options));
  const bool someone_logs_in = options.surroundings && options.surroundings->tables.contains("logins");
  if (!someone_logs_in &&
      std::ranges::any_of(suites, [](const Suite& suite) { return suite.name == kAnySite; }))
    reporter.info("no password is given (--passwords): login, submission and delivery are not tested");
  TRY(const vm::Accelerator accelerator, vm::find_accelerator({options.image, options.cache}, reporter));
  for (const Suite& suite : suites) {
    auto activity = reporter.start("scenarios of " + suite.name);
    TRY(const std::string text,
        run_enclosed(
            [&](Reporter& inner) -> Result<std::string> {
              TRY(const Summary part, SuiteRun(suite, options, accelerator, inner).run());
              return to_json(part).dump(-1, ' ', false, Json::error_handler_t::replace);
            },
            reporter));
    Summary part;
    add_from_json(Json::parse(text), part);
    const auto failed = std::count_if(part.scenarios.begin(), part.scenarios.end(),
                                      [](const ScenarioResult& scenario) { return !scenario.passed; });
    if (failed == 0)
      activity->set_result(fmt::format("{} passed", part.scenarios.size()));
    else
      activity->set_failed(fmt::format("{} of {}", failed, part.scenarios.size()));
    summary.scenarios.insert(summary.scenarios.end(), part.scenarios.begin(), part.scenarios.end());
    summary.boots.insert(summary.boots.end(), part.boots.begin(), part.boots.end());
  }
  return summary;
}

}  // namespace mailstead::mailtest
