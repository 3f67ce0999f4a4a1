// SPDX-License-Identifier: GPL-3.0-or-later
#include "rootfs/scripts.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "crypto/digest.hpp"

namespace mailstead::rootfs {

namespace {

constexpr int kShownLines = 40;
constexpr std::string_view kKernelPrefix = "linux-image-";

/// Calls `use` with each line, without its newline.
template <class Use>
void each_line(std::string_view text, Use&& use) {
  while (!text.empty()) {
    const auto newline = text.find('\n');
    use(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  }
}

/// Whether a character can be part of a version, so that "1.2" is not replaced inside of "11.2" or "1.2-3".
bool is_version_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(".+~-:").find(c) != std::string_view::npos;
}

std::string replace_words(std::string_view text, std::string_view word, std::string_view placeholder) {
  std::string result;
  for (std::size_t start = 0;;) {
    const auto found = text.find(word, start);
    if (found == std::string_view::npos) {
      result += text.substr(start);
      return result;
    }
    const auto end = found + word.size();
    const bool whole = (found == 0 || !is_version_character(text[found - 1])) &&
                       (end == text.size() || !is_version_character(text[end]));
    result += text.substr(start, found - start);
    result += whole ? placeholder : word;
    start = end;
  }
}

std::string replace_all(std::string_view text, std::string_view part, std::string_view placeholder) {
  std::string result;
  for (std::size_t start = 0;;) {
    const auto found = text.find(part, start);
    result += text.substr(start, found == std::string_view::npos ? found : found - start);
    if (found == std::string_view::npos) return result;
    result += placeholder;
    start = found + part.size();
  }
}

std::string normalise(const ControlData& control, std::string_view script) {
  std::string text;
  each_line(script, [&](std::string_view line) {
    const auto first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line.substr(first).starts_with("# Automatically added by "))
      return;
    text += line;
    text += '\n';
  });
  if (control.name.starts_with(kKernelPrefix)) {
    text = replace_all(text, std::string_view(control.name).substr(kKernelPrefix.size()), "@RELEASE@");
  }
  text = replace_words(text, control.version, "@VERSION@");
  if (const auto colon = control.version.find(':'); colon != std::string::npos) {
    text = replace_words(text, std::string_view(control.version).substr(colon + 1), "@VERSION@");
  }
  if (control.name.starts_with(kKernelPrefix)) {
    // linux-image-cloud-amd64 names the kernel that it depends on: 6.12.118\+deb13-cloud-amd64
    // for 6.12.118-1.
    text = replace_all(text, std::string_view(control.version).substr(0, control.version.rfind('-')),
                       "@UPSTREAM@");
  }
  return text;
}

/// The lines of the triggers file that start with interest, one space between words.
std::string interests(std::string_view triggers) {
  std::string result;
  each_line(triggers, [&](std::string_view line) {
    line = line.substr(0, line.find('#'));
    std::string words;
    while (true) {
      const auto first = line.find_first_not_of(" \t\r");
      if (first == std::string_view::npos) break;
      line.remove_prefix(first);
      const auto end = std::min(line.find_first_of(" \t\r"), line.size());
      if (!words.empty()) words += ' ';
      words += line.substr(0, end);
      line.remove_prefix(end);
    }
    if (words.starts_with("interest")) result += words + "\n";
  });
  return result;
}

/// What counts, by name, in a fixed order.
std::vector<std::pair<std::string_view, std::string>> scripts_of(const ControlData& control) {
  std::vector<std::pair<std::string_view, std::string>> scripts;
  for (const std::string_view name : {"preinst", "postinst"}) {
    if (control.files.contains(std::string(name))) {
      scripts.emplace_back(name, normalise(control, control.file(name)));
    }
  }
  if (auto lines = interests(control.file("triggers")); !lines.empty()) {
    scripts.emplace_back("triggers", std::move(lines));
  }
  return scripts;
}

std::string excerpt(std::string_view name, std::string_view text) {
  std::string shown = fmt::format("its {}:", name);
  int lines = 0;
  each_line(text, [&](std::string_view line) {
    if (++lines > kShownLines) return;
    shown += "\n    | ";
    // The script comes from a package: what a terminal would obey stays out.
    for (const char c : line)
      shown += (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f ? '?' : c;
  });
  if (lines > kShownLines) shown += fmt::format("\n    | … {} more lines", lines - kShownLines);
  return shown;
}

Error not_reviewed(const ControlData& package, const std::string& digest, bool known) {
  Error error{ErrorKind::integrity,
              fmt::format("the maintainer scripts of {} {} ({}) {}", package.name, package.version, digest,
                          known ? "are not those that were reviewed" : "have not been reviewed"),
              {},
              known ? fmt::format("see what changed, and add digest {} to the review of {} in "
                                  "maintainer-scripts.yaml of its overlay",
                                  digest, package.name)
                    : fmt::format("say what they do and how it is met, with package {} and digest {}, in "
                                  "maintainer-scripts.yaml of the overlay that needs it (base if none does)",
                                  package.name, digest),
              {},
              {}};
  for (const auto& [name, normalised] : scripts_of(package)) {
    error.notes.push_back(excerpt(name, name == "triggers" ? normalised : package.file(name)));
  }
  return error;
}

}  // namespace

std::string script_digest(const ControlData& control) {
  const auto scripts = scripts_of(control);
  if (scripts.empty()) return {};
  crypto::Sha256 digest;
  for (const auto& [name, text] : scripts) {
    // The length keeps the end of one script and the start of the next apart.
    digest.update(fmt::format("{} {}\n", name, text.size()));
    digest.update(text);
  }
  return crypto::to_hex(digest.finish()).substr(0, 16);
}

Status check_reviews(const std::vector<ControlData>& packages, const std::vector<overlay::Review>& reviews) {
  std::vector<Error> errors;
  for (const ControlData& package : packages) {
    const std::string digest = script_digest(package);
    if (digest.empty()) continue;
    bool known = false;
    bool reviewed = false;
    for (const overlay::Review& review : reviews) {
      if (::fnmatch(review.package.c_str(), package.name.c_str(), 0) != 0) continue;
      known = true;
      reviewed =
          reviewed || std::find(review.digests.begin(), review.digests.end(), digest) != review.digests.end();
    }
    if (!reviewed) errors.push_back(not_reviewed(package, digest, known));
  }
  if (!errors.empty()) return fail(join_errors(std::move(errors)));
  return ok();
}

}  // namespace mailstead::rootfs
