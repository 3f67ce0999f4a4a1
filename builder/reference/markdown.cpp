// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <set>

#include "reference/reference.hpp"

namespace mailstead::reference {
namespace {

using spec::Key;
using spec::Type;

constexpr const char* kHead = R"(<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!-- Made from builder/spec/keys.hpp: UPDATE_GOLDEN=1 build/tests/unit_reference writes it anew. -->
# The keys of a spec

A spec is one YAML file that describes a mail server; `mailstead init` makes a first one, and `profiles/examples/` has more. This is the
list of all its keys. `mailstead explain` prints it in a terminal, `mailstead explain KEY` one key; `mailstead check` reports what is
wrong with a spec.

Where a list is expected, one value is a list of one. An empty map is as good as none. Yes, no, on and off are text: write true
and false. In an example, `…` stands for the rest of a password hash or public key. `*` in the name of a key stands for a domain or address.

Editors that know the YAML language server complete keys and mark mistakes, if the spec begins with
`# yaml-language-server: $schema=` and the path of [mailstead.schema.json](mailstead.schema.json), which
`mailstead explain --schema` prints. `check` sees more than a schema can.

)";

std::string anchor(const Key& key) {
  std::string text;
  for (const char c : key.path)
    if (c != '.' && c != '*') text += c;
  return text;
}

/// In a cell of a table, "|" ends it.
std::string overview() {
  std::string out = "| key | type | default |\n|---|---|---|\n";
  for (const Key& key : spec::kKeys) {
    const std::string text = default_text(key);
    out += fmt::format("| [`{}`](#{}) | {} | {} |\n", key.path, anchor(key), type_text(key),
                       key.required           ? "required"
                       : key.fallback.empty() ? text
                                              : fmt::format("`{}`", text));
  }
  return out;
}

std::string entry(const Key& key) {
  std::string out = fmt::format("### `{}`\n\n{}\n\n- Type: {}", key.path, key.says, type_text(key));
  if (!key.bounds_note.empty()) out += fmt::format(" ({})", key.bounds_note);
  out += '\n';
  if (const std::string_view note = type_note(key.type); !note.empty())
    out += fmt::format("- Written: {}\n", note);
  if (key.required)
    out += "- Required\n";
  else if (!key.fallback.empty())
    out += fmt::format("- Default: `{}`\n", key.fallback);
  else if (!key.otherwise.empty())
    out += fmt::format("- Default: {}\n", key.otherwise);
  return out + fmt::format("\n```yaml\n{}```\n\n", spec::example_text(key));
}

}  // namespace

std::string to_markdown() {
  std::string out = kHead + overview() + "\n";
  for (const Key* top : spec::keys_in("")) {
    out += fmt::format("## {}\n\n", top->path);
    for (const Key& key : spec::kKeys)
      if (&key == top || key.path.starts_with(fmt::format("{}.", top->path))) out += entry(key);
  }
  out.pop_back();
  return out;
}

}  // namespace mailstead::reference
