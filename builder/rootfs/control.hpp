// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mailstead::rootfs {

/// What a package says about itself: its control.tar.
struct ControlData {
  std::string name;
  std::string version;       ///< with epoch
  std::string architecture;  ///< "amd64" or "all"
  std::string stanza;        ///< the control file as shipped, ends in one newline
  std::map<std::string, std::string>
      fields;  ///< of the stanza, by name as written; continuation lines joined by '\n'
  std::map<std::string, std::string>
      files;  ///< "postinst", "triggers", "conffiles", "md5sums", … but not "control"

  /// The field's value, or empty.
  std::string_view field(std::string_view field_name) const;
  /// The control file's text, or empty.
  std::string_view file(std::string_view file_name) const;
};

/// Reads a control file (deb-control(5)): one stanza. Errors: a malformed line, a field twice, more than one
/// stanza, or Package, Version or Architecture missing.
Result<ControlData> parse_control(std::string_view text);

/// One of the packages that a relation field names: "libc6:any (>= 2.38)".
struct Relation {
  std::string_view name;
  std::string_view qualifier;   ///< "any", "amd64"; or empty
  std::string_view constraint;  ///< ">= 2.38"; or empty
};

/// A relation field (Debian Policy 7.1): the groups between commas, each with the alternatives between '|'.
std::vector<std::vector<Relation>> parse_relations(std::string_view field);

/// Whether a version satisfies a constraint such as ">= 2.38". What is no constraint is satisfied by nothing.
bool satisfies(std::string_view version, std::string_view constraint);

/// Whether a relation field such as Replaces ("foo, bar (<< 1.2)") names package `name` in version `version`.
bool relation_names(std::string_view relation, std::string_view name, std::string_view version);

}  // namespace mailstead::rootfs
