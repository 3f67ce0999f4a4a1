// SPDX-License-Identifier: GPL-3.0-or-later
// The reference of the spec's keys, made from their records (spec/keys.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/keys.hpp"

namespace mailstead::reference {

/// All keys, indented by their sections, each with what it does; lines of at most `width` columns.
std::string key_tree(std::size_t width);

/// One key: what it does, its type, its default, an example, and the keys below it.
std::string describe(const spec::Key& key, std::size_t width);

/// The records as a JSON array.
std::string to_json(const std::vector<const spec::Key*>& keys);

/// docs/spec.md: all keys with all that is known of them.
std::string to_markdown();

/// The manual page mailstead.yaml(5) in the macros of man(7): all keys.
std::string to_manual_page(std::string_view version);

/// A JSON schema (draft 7) for editors: what it refuses, the parser refuses; it cannot see everything that
/// the parser can, as whether an address exists.
std::string to_json_schema();

/// What a value of the type is called, as "host name"; in the plural for a list of them.
std::string_view type_name(spec::Type type, bool plural = false);

/// How a value of the type is written; empty where that is plain.
std::string_view type_note(spec::Type type);

/// Type and bounds in words: "list of IP addresses", "size, 64K to 200M".
std::string type_text(const spec::Key& key);

/// What holds without the key: a value, or words; empty if nothing.
std::string default_text(const spec::Key& key);

}  // namespace mailstead::reference
