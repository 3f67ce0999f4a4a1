// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "fetch/fetch.hpp"
#include "fetch/transfer.hpp"

namespace mailstead::fetch {

/// A package that did not come from a set of sources.
struct Failed {
  lock::Package package;
  Transfer::Failure failure = Transfer::Failure::none;  ///< `none`: it was not tried any more
  Error error;
  std::vector<Error> wrong_bytes;
  bool unanswered = false;  ///< see Transfer::unanswered
};

/// What the snapshot archive could do about packages that the mirrors lack.
enum class SnapshotAnswer {
  not_asked,    ///< not before all mirrors have answered
  turned_off,   ///< FetchOptions::snapshot is empty
  lacking,      ///< it does not have them, or other bytes of them
  unreachable,  ///< it gave no answer
};

/// "p1 1.0-1"
std::string name_of(const lock::Package& package);

/// A package that the mirrors lack, and what became of asking the snapshot archive.
struct Lost {
  lock::Package package;
  std::vector<Error> wrong_bytes;  ///< of mirrors, then of the snapshot archive
  SnapshotAnswer answer = SnapshotAnswer::not_asked;
  std::string unanswered;  ///< of a mirror that did not say whether it has it: which and why; or empty
};

/// All that is lost in one error: packages with wrong bytes one by one, with all the digests that were found;
/// the others together by what the snapshot archive answered, every one on a line. `reason` says why it was
/// unreachable. `lost` is not empty.
Error describe_lost(std::vector<Lost> lost, const std::string& reason, const FetchOptions& options);

/// The failures of asking mirrors of which some gave no answer, in one error: the packages that none gave
/// together with what is wrong with each mirror (`troubles`), and what is lost. The disk's own trouble is
/// told alone, and once. `failed` is not empty.
Error describe_trouble(const std::vector<Failed>& failed, const std::vector<std::string>& troubles,
                       const FetchOptions& options);

}  // namespace mailstead::fetch
