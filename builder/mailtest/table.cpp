// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/table.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "mailtest/text.hpp"

namespace mailstead::mailtest {
namespace {

constexpr std::size_t kLargestTable = 1 << 20;

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

Status find_companions(std::vector<Step>& steps, const Dialogue& dialogue,
                       const std::filesystem::path& folder) {
  for (Step& step : steps) {
    if (step.verb == Verb::each) {
      const std::filesystem::path file = folder / step.text;
      const auto text = read_file(file, kLargestTable);
      if (!text)
        return fail(error_at(dialogue.file, step.line, step.source, text.error().message, text.error().hint));
      TRY(step.rows, parse_table(*text, file.string(), step.words.size()));
    }
    if (step.verb == Verb::message && step.words[1] == "by") {
      const std::filesystem::path script = folder / step.words[2];
      if (!std::filesystem::is_regular_file(script))
        return fail(error_at(dialogue.file, step.line, step.source, "there is no script " + script.string()));
      step.words[2] = std::filesystem::absolute(script).string();
    }
    CHECK_OK(find_companions(step.block, dialogue, folder));
  }
  return ok();
}

}  // namespace

Result<std::vector<Row>> parse_table(std::string_view text, const std::string& file, std::size_t columns) {
  std::vector<Row> rows;
  std::vector<Error> errors;
  int number = 0;
  for (const std::string& line : split_lines(text)) {
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
      rows.push_back({number, line, *std::move(fields)});
  }
  if (!errors.empty()) return fail(join_errors(std::move(errors)));
  if (rows.empty()) return fail(ErrorKind::usage, file + " has no rows");
  return rows;
}

Status find_companions(Dialogue& dialogue, const std::filesystem::path& folder) {
  return find_companions(dialogue.steps, dialogue, folder);
}

}  // namespace mailstead::mailtest
