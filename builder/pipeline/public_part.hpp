// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>

#include "base/reporter.hpp"
#include "base/result.hpp"
#include "lock/lock.hpp"
#include "pipeline/base.hpp"
#include "pipeline/project.hpp"
#include "tools/toolbox.hpp"

namespace mailstead::pipeline {

/// A base with the tools that write bits for it.
struct PublicPart {
  Base base;
  tools::Toolbox toolbox;
  std::optional<Unpacked> unpacked;  ///< if one of the two had to be made; of no more use
};

/// Both from the cache, or made from the locked packages, which are fetched if the store lacks them. Before
/// that the cache is cleaned of what killed builds have left and of what no build has used for a month.
/// \param spec what `mailstead lock --update` would be called with, for messages about packages that are gone
Result<PublicPart> get_public_part(const Platform& platform, const lock::Lock& lock, const std::string& spec,
                                   const Options& options, Reporter& reporter);

/// The same with the tree that the base is written from.
struct ComposedPublicPart {
  ComposedBase composed;
  tools::Toolbox toolbox;
};

/// Makes the base anew from the locked packages into the folder `scratch`, whatever the cache holds of it;
/// tools come from there as ever.
Result<ComposedPublicPart> compose_public_part(const Platform& platform, const lock::Lock& lock,
                                               const std::string& spec, const Options& options,
                                               const std::filesystem::path& scratch, Reporter& reporter);

/// Both if they are in the cache: nothing is fetched or made.
Result<std::optional<PublicPart>> find_public_part(const Platform& platform, const lock::Lock& lock);

}  // namespace mailstead::pipeline
