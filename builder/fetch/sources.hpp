// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/error.hpp"

namespace mailstead::fetch {

/// The addresses that may have a package, in the order in which they are asked.
struct Sources {
  std::vector<Address> addresses;  ///< as in lock::Mirrors
  /// All are of one server: while it is in trouble, another of them is of no more use than the same again.
  bool one_server = false;
  /// A file that each of them has ("dists/trixie/InRelease"): who does not give it refuses everything. Empty:
  /// none is known.
  std::string index;
};

/// What is known of a source in this run.
struct SourceState {
  unsigned failures = 0;
  bool gives = false;            ///< it has given something
  std::string trouble;           ///< how it failed last ("http://… does not answer: …"), or empty
  std::optional<Error> refusal;  ///< why it is asked for nothing any more
};

/// The source that failed least is asked first, so that a dead mirror costs its time-out once and not once a
/// package; one that refuses is not bothered again.
using SourceStates = std::map<Address, SourceState>;

}  // namespace mailstead::fetch
