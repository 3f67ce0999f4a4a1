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

/// How `each` names a table that is made from the site.
constexpr std::string_view kOfSite = "site:";
constexpr std::size_t kLargestTable = 1 << 20;
/// The folder of fragments for dialogues of several folders, beside these.
constexpr const char* kFragments = "parts";
constexpr std::size_t kDeepestInclude = 8;
/// A bound, since fragments that include others several times could make any number of steps.
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

/// Reads the files that the steps of one dialogue name.
class Finder {
 public:
  Finder(const fs::path& folder, const fs::path& shipped, const SiteTables& tables)
      : folder_(folder), shipped_(shipped), tables_(tables) {}

  /// `file`: has the steps.
  Status find(std::vector<Step>& steps, const std::string& file) {
    for (Step& step : steps) {
      if (auto* each = std::get_if<verb::Each>(&step.action)) CHECK_OK(read_rows(*each, step, file));
      if (auto* message = std::get_if<verb::Message>(&step.action); message != nullptr && message->script)
        CHECK_OK(find_script(*message->script, step, file));
      if (auto* include = std::get_if<verb::Include>(&step.action))
        CHECK_OK(read_fragment(*include, step, file));
      else
        CHECK_OK(find(step.block, file));
    }
    return ok();
  }

 private:
  Status take_rows_of_site(verb::Each& each, const Step& step, const std::string& file) const {
    const std::string name = each.file.substr(kOfSite.size());
    std::vector<std::string> known;
    for (const SiteTable& table : kSiteTables) {
      known.push_back(fmt::format("{} (fields: {})", table.name, table.columns));
      if (table.name != name || table.columns != each.columns.size()) continue;
      if (const auto rows = tables_.find(name); rows != tables_.end())
        for (const std::vector<std::string>& fields : rows->second)
          each.rows.push_back(
              {static_cast<int>(each.rows.size()) + 1, fmt::format("{}", fmt::join(fields, " ")), fields});
      return ok();
    }
    return fail(error_at(file, step.line, step.source,
                         "there is no such table of the site, or it has another number of fields",
                         fmt::format("it has: {}", fmt::join(known, ", "))));
  }

  Status read_rows(verb::Each& each, Step& step, const std::string& file) const {
    if (each.file.starts_with(kOfSite)) return take_rows_of_site(each, step, file);
    const fs::path table = folder_ / each.file;
    const auto text = read_file(table, kLargestTable);
    if (!text) return fail(error_at(file, step.line, step.source, text.error().message, text.error().hint));
    TRY(each.rows, parse_table(*text, table.string(), each.columns.size()));
    for (const Row& row : each.rows)
      for (const std::string& field : row.fields) step.variables.look_into(field);
    return ok();
  }

  Status find_script(verb::Script& wanted, const Step& step, const std::string& file) const {
    const fs::path script = folder_ / wanted.file;
    if (!fs::is_regular_file(script))
      return fail(error_at(file, step.line, step.source, "there is no script " + script.string()));
    wanted.file = fs::absolute(script).string();
    return ok();
  }

  /// The path of a fragment: beside the dialogue, in `parts` beside its folder, or in that of `shipped`. The
  /// error is a message.
  tl::expected<fs::path, std::string> find_fragment(const std::string& name) const {
    const fs::path beside = folder_ / name;
    if (fs::exists(beside)) return beside.lexically_normal();
    const fs::path common = (folder_ / ".." / kFragments / name).lexically_normal();
    if (fs::exists(common)) return common;
    if (const fs::path shipped = shipped_ / kFragments / name; !shipped_.empty() && fs::exists(shipped))
      return shipped;
    return tl::unexpected(
        fmt::format("there is no {} beside the dialogue, and no {}", name, common.string()));
  }

  Status read_fragment(verb::Include& include, Step& step, const std::string& file) {
    const auto wrong = [&](std::string message, std::string hint = {}) {
      return fail(error_at(file, step.line, step.source, std::move(message), std::move(hint)));
    };
    const auto fragment = find_fragment(include.file);
    if (!fragment) return wrong(fragment.error());
    const std::string path = fragment->string();
    if (std::ranges::find(open_, path) != open_.end())
      return wrong(fmt::format("{} includes itself: {} → {}", include.file, fmt::join(open_, " → "), path));
    if (open_.size() >= kDeepestInclude) return wrong("fragments are included too deep");
    if (++included_ > kMostIncludes)
      return wrong(fmt::format("a dialogue includes more than {} fragments", kMostIncludes));
    const auto text = read_file(path, kLargestTable);
    if (!text) return wrong(text.error().message, text.error().hint);
    auto lines = fill_fragment(*text, path, include.arguments);
    if (!lines && lines.error().place) return fail(std::move(lines).error());
    if (!lines) return wrong(lines.error().message, lines.error().hint);
    include.file = path;
    open_.push_back(path);
    if (auto status = read_steps(step, *std::move(lines), path); !status)
      return fail(std::move(status).error().with_note(fmt::format("included by {}:{}", file, step.line)));
    open_.pop_back();
    return ok();
  }

  Status read_steps(Step& step, std::vector<Line> lines, const std::string& path) {
    TRY(step.block, parse_steps(std::move(lines), path));
    return find(step.block, path);
  }

  fs::path folder_;
  fs::path shipped_;
  const SiteTables& tables_;
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

Status find_companions(Dialogue& dialogue, const fs::path& folder, const fs::path& shipped,
                       const SiteTables& tables) {
  return Finder(folder, shipped, tables).find(dialogue.steps, dialogue.file);
}

}  // namespace mailstead::mailtest
