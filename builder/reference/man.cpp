// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "reference/reference.hpp"
#include "reference/roff.hpp"

namespace mailstead::reference {
namespace {

using spec::Key;

constexpr const char* kManualHead = R"(.SH NAME
mailstead.yaml \- the spec of a mail server for mailstead(1)
.SH DESCRIPTION
A spec is one YAML file that describes a mail server. It may have any name; \fBmailstead init\fR makes a first one, and
\fBmailstead check\fR reports what is wrong with it.
.PP
Where a list is expected, one value is a list of one. An empty map is as good as none. Yes, no, on and off are text: write true and
false. In an example, \(lq\[u2026]\(rq stands for the rest of a password hash or public key. \(lq*\(rq in the name of a key stands for a
domain or address.
.SH KEYS
)";

/// Characters that groff would take for a request or typeset as another one (groff_char(7)).
using Escape = std::pair<char, std::string_view>;
constexpr std::array kEscapes = {Escape{'\\', "\\e"},   Escape{'-', "\\-"},   Escape{'"', "\\(dq"},
                                 Escape{'\'', "\\(aq"}, Escape{'`', "\\(ga"}, Escape{'~', "\\(ti"},
                                 Escape{'^', "\\(ha"}};

constexpr const char* kManualTail = R"(.SH SEE ALSO
.BR mailstead (1)
)";

std::string manual_item(std::string_view name, std::string_view text) {
  return fmt::format(".br\n\\fI{}:\\fR {}\n", name, roff_text(text));
}

std::string manual_entry(const Key& key) {
  std::string out = fmt::format(".TP\n.B {}\n{}", roff_text(key.path), roff_lines(key.says));
  out +=
      manual_item("Type", key.bounds_note.empty() ? type_text(key)
                                                  : fmt::format("{} ({})", type_text(key), key.bounds_note));
  if (const std::string_view note = type_note(key.type); !note.empty()) out += manual_item("Written", note);
  if (key.required)
    out += ".br\nRequired.\n";
  else if (const std::string text = default_text(key); !text.empty())
    out += manual_item("Default", text);
  return out + fmt::format(".IP\n.EX\n{}.EE\n", roff_lines(spec::example_text(key)));
}

/// A character beyond ASCII by its number, which needs no preconv(1) (groff_char(7)). `at` is its first byte,
/// then its last.
std::string roff_character(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  std::uint32_t value = lead & (lead >= 0xf0 ? 0x07u : lead >= 0xe0 ? 0x0fu : 0x1fu);
  while (at + 1 < text.size() && (static_cast<unsigned char>(text[at + 1]) & 0xc0) == 0x80)
    value = value << 6 | (static_cast<unsigned char>(text[++at]) & 0x3fu);
  return fmt::format("\\[u{:04X}]", value);
}

}  // namespace

std::string roff_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto escape = std::find_if(kEscapes.begin(), kEscapes.end(),
                                     [&](const auto& entry) { return entry.first == text[at]; });
    if (static_cast<unsigned char>(text[at]) >= 0x80)
      out += roff_character(text, at);
    else if (escape != kEscapes.end())
      out += escape->second;
    else
      out += text[at];
  }
  return out;
}

std::string roff_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with('.')) out += "\\&";
    out += roff_text(line) + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string to_manual_page(std::string_view version) {
  std::string out = fmt::format(
      ".\\\" SPDX-License-Identifier: GPL-3.0-or-later\n"
      ".TH MAILSTEAD.YAML 5 \"\" \"Mailstead {}\" \"File Formats\"\n{}",
      roff_text(version), kManualHead);
  for (const Key& key : spec::kKeys) out += manual_entry(key);
  return out + kManualTail;
}

}  // namespace mailstead::reference
