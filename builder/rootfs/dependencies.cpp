// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/dependencies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace mailstead::rootfs {
namespace {

/// A name that a package has or provides.
struct Offer {
  const ControlData* package;
  std::string_view version;  ///< empty: provided without one, which satisfies no constraint
};
using Offers = std::multimap<std::string_view, Offer>;

Offers offers_of(const std::vector<const ControlData*>& packages) {
  Offers offers;
  for (const ControlData* package : packages) {
    offers.emplace(package->name, Offer{package, package->version});
    for (const auto& group : parse_relations(package->field("Provides"))) {
      for (const Relation& provided : group) {
        std::string_view version = provided.constraint;
        version.remove_prefix(std::min(version.find_first_not_of("= \t"), version.size()));
        offers.emplace(provided.name, Offer{package, version});
      }
    }
  }
  return offers;
}

bool fits(const Relation& wanted, const Offer& offer) {
  const ControlData& package = *offer.package;
  if (wanted.qualifier == "any" && package.field("Multi-Arch") != "allowed") return false;
  if (!wanted.qualifier.empty() && wanted.qualifier != "any" && package.architecture != wanted.qualifier &&
      package.architecture != "all")
    return false;
  if (wanted.constraint.empty()) return true;
  return !offer.version.empty() && satisfies(offer.version, wanted.constraint);
}

bool is_met(const std::vector<Relation>& alternatives, const Offers& offers) {
  return std::any_of(alternatives.begin(), alternatives.end(), [&](const Relation& wanted) {
    const auto [begin, end] = offers.equal_range(wanted.name);
    return std::any_of(begin, end, [&](const auto& entry) { return fits(wanted, entry.second); });
  });
}

std::string text_of(const std::vector<Relation>& alternatives) {
  std::string text;
  for (const Relation& one : alternatives) {
    if (!text.empty()) text += " or ";
    text += one.name;
    if (!one.qualifier.empty()) text += fmt::format(":{}", one.qualifier);
    if (!one.constraint.empty()) text += fmt::format(" ({})", one.constraint);
  }
  return text;
}

}  // namespace

std::vector<std::string> missing_dependencies(const std::vector<const ControlData*>& packages) {
  const Offers offers = offers_of(packages);
  std::vector<std::string> missing;
  for (const ControlData* package : packages) {
    for (const char* field : {"Pre-Depends", "Depends"}) {
      for (const auto& alternatives : parse_relations(package->field(field))) {
        if (!is_met(alternatives, offers))
          missing.push_back(
              fmt::format("{} {} needs {}", package->name, package->version, text_of(alternatives)));
      }
    }
  }
  return missing;
}

std::uint64_t installed_size(const ControlData& package) {
  constexpr std::uint64_t kLargest = 8u << 20;  // as DebLimits::data_size
  const std::string_view text = package.field("Installed-Size");
  std::uint64_t kibibytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), kibibytes);
  return std::min(kibibytes, kLargest) << 10;
}

}  // namespace mailstead::rootfs
