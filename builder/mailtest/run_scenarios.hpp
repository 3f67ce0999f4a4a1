// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "mailtest/surroundings.hpp"
#include "mailtest/text.hpp"
#include "vm/machine.hpp"

namespace mailstead::mailtest {

struct Options {
  std::filesystem::path image;  ///< raw disk image, never written to
  /// Host name of the appliance: folders for others are skipped. Those for any site are for one without a
  /// folder of its own, or for whoever asks for them by name.
  std::string site;
  std::filesystem::path scenarios;  ///< qemu-tests/: folders with a file `world` and NN-title.dialogue files
  std::filesystem::path oracles;    ///< programs that judge results: verify-dkim.py
  std::filesystem::path folder;     ///< for overlays and logs; made if missing. Only the logs stay
  std::filesystem::path cache;      ///< for the accelerator's verdict
  std::vector<std::string> only;    ///< "mail", "mail/10-inbound" or a part of a name; empty: all
  Variables variables;  ///< passwords and the like; the runner adds appliance, appliance6, date, unique
  Result<Surroundings> surroundings = Surroundings();  ///< of the site; an error if a world with `site any`
                                                       ///< is played
  std::string zone_json;  ///< the appliance's zone as `mailstead dns --json` prints it
  unsigned memory_mib = 1024;
  unsigned cpus = 2;
  double time_scale = 1.0;  ///< for slow hosts: all waiting times are multiplied by this
};

/// How one dialogue went.
struct ScenarioResult {
  std::string name;  ///< "mail/10-inbound"
  std::string title;
  bool passed = false;
  std::chrono::milliseconds duration{0};
  std::string
      failure;  ///< the failed line with its dialogue and the ends of the logs; for people, many lines
};

/// A power-on, and when the machine answered.
struct BootTimes {
  std::string scenario_folder;
  std::string firmware;  ///< "bios", "uefi"
  std::string accelerator;
  std::chrono::milliseconds to_smtp{0};   ///< power-on to the SMTP banner on port 25
  std::chrono::milliseconds to_imaps{0};  ///< power-on to the IMAP greeting on port 993
  double slowness = 1;                    ///< the factor of all time limits from then on
};

/// A folder that was selected but not played, since it is for another appliance.
struct LeftOut {
  std::string folder;
  std::string site;  ///< the host name that it is for
};

struct Summary {
  std::vector<ScenarioResult> scenarios;
  std::vector<LeftOut> left_out;
  std::vector<BootTimes> boots;
  bool passed() const;
};

/// Boots the unchanged image in a network of its own and plays the dialogues against it. Scenarios of a
/// folder share one machine, in the order of their names; those with `machine own` follow, each with a fresh
/// overlay. A scenario that fails is a result, not an error. Errors: bad dialogues (all at once,
/// ErrorKind::usage), no scenario of that name, none for this site, variables without a value, no QEMU,
/// namespaces forbidden, interrupted.
Result<Summary> run_scenarios(const Options& options, Reporter& reporter);

}  // namespace mailstead::mailtest
