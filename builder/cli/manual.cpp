// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/manual.hpp"

#include <fmt/format.h>

#include "cli/command.hpp"
#include "reference/roff.hpp"

namespace mailstead::cli {
namespace {

using reference::roff_lines;
using reference::roff_text;

/// "-o, --output FILE": names and what follows them, as --help has them.
std::string option_head(const CLI::Option& option) {
  std::string head;
  if (option.get_positional()) {
    head = fmt::format(R"(\fI{}\fR)", roff_text(option.get_name(true, false)));
  } else {
    for (const std::string& name : option.get_snames())
      head += fmt::format(R"({}\fB{}\fR)", head.empty() ? "" : ", ", roff_text("-" + name));
    for (const std::string& name : option.get_lnames())
      head += fmt::format(R"({}\fB{}\fR)", head.empty() ? "" : ", ", roff_text("--" + name));
    if (const std::string value = value_of(option); !value.empty())
      head += fmt::format(R"( \fI{}\fR)", roff_text(value));
  }
  return head;
}

std::string option_entries(const CLI::App& app, bool positional) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty() || option->get_positional() != positional) continue;
    if (option == app.get_help_ptr() && app.get_parent() != nullptr) continue;
    out += fmt::format(".TP\n{}\n{}", option_head(*option), roff_lines(description_of(*option)));
  }
  return out;
}

/// "IMAGE [SCENARIO...]"
std::string arguments_of(const CLI::App& verb) {
  std::string out;
  for (const CLI::Option* option : verb.get_options()) {
    if (!option->get_positional()) continue;
    const bool many = option->get_expected_max() >= CLI::detail::expected_max_vector_size;
    const std::string name = option->get_name(true, false) + (many ? "..." : "");
    out += option->get_required() ? " " + name : fmt::format(" [{}]", name);
  }
  return out;
}

/// Examples with their lines as they are, anything else in paragraphs.
std::string footer_of(const CLI::App& verb) {
  std::string out;
  bool example = false;
  std::string text = verb.get_footer();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with("  ")) {
      if (!example) out += ".RS 4\n.EX\n";
      example = true;
    } else if (example) {
      out += ".EE\n.RE\n";
      example = false;
    }
    if (!line.empty() && !example) out += ".PP\n";
    if (!line.empty()) out += roff_lines(example ? line.substr(2) : line);
  }
  return example ? out + ".EE\n.RE\n" : out;
}

constexpr const char* kEnd = R"(.SH ENVIRONMENT
.TP
.B MAILSTEAD_CACHE
The folder of downloads and of what is made from them (default: \fI$XDG_CACHE_HOME/mailstead\fR or \fI\(ti/.cache/mailstead\fR).
.TP
.B MAILSTEAD_DATA
The folder of profiles and overlays (default: the one that was installed with the program).
.TP
.B MAILSTEAD_MIRROR
As \fB\-\-mirror\fR.
.TP
.B MAILSTEAD_SNAPSHOT
As \fB\-\-snapshot\fR.
.TP
.B MAILSTEAD_ACCEL
\fIkvm\fR or \fItcg\fR: how QEMU runs machines, instead of trying whether KVM works.
.TP
.B NO_COLOR
If it is not empty, output has no colours unless \fB\-\-color always\fR is given.
.TP
.B COLUMNS
The width at which help and messages wrap (default: that of the terminal).
.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
The work failed. \fBdiff\fR: the images differ. \fBaudit\fR: there are security updates.
.TP
.B 2
The command line or the spec is wrong.
.TP
.B 130
Stopped by Ctrl\-C; 128 plus the number of the signal for other signals.
.SH FILES
.TP
.I mail.yaml
The spec: see \fBmailstead.yaml\fR(5).
.TP
.I mailstead.lock
Beside the spec: the packages of the image. Keep it in version control.
.TP
.I secrets/
Beside the spec: private keys. Keep a copy in a safe place, and not in version control.
.SH SEE ALSO
.BR mailstead.yaml (5)
)";

}  // namespace

std::string manual_page(const CLI::App& app) {
  std::string out = fmt::format(
      ".\\\" SPDX-License-Identifier: GPL-3.0-or-later\n"
      ".TH MAILSTEAD 1 \"\" \"Mailstead {}\" \"User Commands\"\n"
      ".SH NAME\nmailstead \\- build a mail server as a reproducible disk image\n"
      ".SH SYNOPSIS\n.B mailstead\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n"
      ".SH DESCRIPTION\n{}.SH OPTIONS\n{}.SH COMMANDS\n",
      roff_text(MAILSTEAD_VERSION), roff_lines(app.get_description()), option_entries(app, false));
  for (const CLI::App* verb : commands_of(app)) {
    out += fmt::format(".SS \"mailstead {}{}\"\n{}", roff_text(verb->get_name()),
                       roff_text(arguments_of(*verb)), roff_lines(verb->get_description()));
    out += option_entries(*verb, true) + option_entries(*verb, false);
    if (verb->get_footer() != app.get_footer()) out += footer_of(*verb);
  }
  return out + kEnd;
}

}  // namespace mailstead::cli
