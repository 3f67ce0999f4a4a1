// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/files.hpp"
#include "mailtest/fragment.hpp"
#include "mailtest/text.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestTable = 1 << 20;
/// The folder of what dialogues of several folders include, beside these.
constexpr const char* kFragments = "parts";
constexpr std::size_t kDeepestInclude = 8;
/// Fragments that include others several times could make any number of steps.
constexpr std::size_t kMostIncludes = 1000;

Result<std::vector<std::string>> parse_fields(std::string_view line) {
  std::vector<std::string> fields;
  while (true) {
    const std::size_t end = line.find('\t');
    TRY(std::string field, unescape(line.substr(0, end)));
    fields.push_back(std::move(field));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

/// Finds what the steps of one dialogue name in its folder.
class Finder {
 public:
  Finder(const fs::path& folder, const fs::path& shipped) : folder_(folder), shipped_(shipped) {}

  /// `file`: that the steps are of.
  Status find(std::vector<Step>& steps, const std::string& file) {
    for (Step& step : steps) {
      if (step.verb == Verb::each) CHECK_OK(read_rows(step, file));
      if (step.verb == Verb::message && step.words[1] == "by") CHECK_OK(find_script(step, file));
      if (step.verb == Verb::include)
        CHECK_OK(include(step, file));
      else
        CHECK_OK(find(step.block, file));
    }
    return ok();
  }

 private:
  Status read_rows(Step& step, const std::string& file) const {
    const fs::path table = folder_ / step.text;
    const auto text = read_file(table, kLargestTable);
    if (!text) return fail(error_at(file, step.line, step.source, text.error().message, text.error().hint));
    TRY(step.rows, parse_table(*text, table.string(), step.words.size()));
    return ok();
  }

  Status find_script(Step& step, const std::string& file) const {
    const fs::path script = folder_ / step.words[2];
    if (!fs::is_regular_file(script))
      return fail(error_at(file, step.line, step.source, "there is no script " + script.string()));
    step.words[2] = fs::absolute(script).string();
    return ok();
  }

  Status include(Step& step, const std::string& file) {
    const auto wrong = [&](std::string message, std::string hint = {}) {
      return fail(error_at(file, step.line, step.source, std::move(message), std::move(hint)));
    };
    fs::path fragment = folder_ / step.text;
    if (!fs::exists(fragment)) fragment = folder_ / ".." / kFragments / step.text;
    fragment = fragment.lexically_normal();
    const fs::path beside_parent = fragment;
    if (!fs::exists(fragment) && !shipped_.empty()) fragment = shipped_ / kFragments / step.text;
    const std::string name = fragment.string();
    if (!fs::exists(fragment))
      return wrong(
          fmt::format("there is no {} beside the dialogue, and no {}", step.text, beside_parent.string()));
    if (std::find(open_.begin(), open_.end(), name) != open_.end())
      return wrong(fmt::format("{} includes itself: {} → {}", step.text, fmt::join(open_, " → "), name));
    if (open_.size() >= kDeepestInclude) return wrong("fragments are included too deep");
    if (++included_ > kMostIncludes)
      return wrong(fmt::format("a dialogue includes more than {} fragments", kMostIncludes));
    const auto text = read_file(fragment, kLargestTable);
    if (!text) return wrong(text.error().message, text.error().hint);
    auto filled = fill_fragment(*text, name, step.words);
    if (!filled && filled.error().place) return fail(std::move(filled).error());
    if (!filled) return wrong(filled.error().message, filled.error().hint);
    open_.push_back(name);
    if (auto status = read_fragment(step, *filled, name); !status)
      return fail(std::move(status).error().with_note(fmt::format("included by {}:{}", file, step.line)));
    open_.pop_back();
    return ok();
  }

  Status read_fragment(Step& step, const std::string& text, const std::string& name) {
    TRY(step.block, parse_steps(text, name));
    step.text = name;
    return find(step.block, name);
  }

  fs::path folder_;
  fs::path shipped_;
  std::vector<std::string> open_;  ///< fragments that are being read, each included by the one before it
  std::size_t included_ = 0;
};

}  // namespace

Result<std::vector<Row>> parse_table(std::string_view text, const std::string& file, std::size_t columns) {
  std::vector<Row> rows;
  std::vector<Error> errors;
  int number = 0;
  for (const std::string_view line : text::split_lines(text)) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    auto fields = parse_fields(line);
    if (!fields)
      errors.push_back(error_at(file, number, printable(line, 300), fields.error().message));
    else if (fields->size() != columns)
      errors.push_back(
          error_at(file, number, printable(line, 300),
                   fmt::format("the line has {} fields; the dialogue names {}", fields->size(), columns),
                   "separate the fields by one tab each"));
    else
      rows.push_back({number, std::string(line), *std::move(fields)});
  }
  if (!errors.empty()) return fail(join_errors(std::move(errors)));
  if (rows.empty()) return fail(ErrorKind::usage, file + " has no rows");
  return rows;
}

Status find_companions(Dialogue& dialogue, const fs::path& folder, const fs::path& shipped) {
  return Finder(folder, shipped).find(dialogue.steps, dialogue.file);
}

}  // namespace mailstead::mailtest
