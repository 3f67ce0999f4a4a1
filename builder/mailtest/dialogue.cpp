// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/dialogue.hpp"

#include <algorithm>

#include "mailtest/arguments.hpp"
#include "mailtest/machine_header.hpp"
#include "mailtest/text.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::size_t kMostLines = 20'000;
constexpr int kDeepestBlock = 4;

bool is_talk(std::string_view line) {
  return line.starts_with('<') || line.starts_with('>');
}

/// The first word of a line. In lines of talk one space ends it, and further blanks are part of the talk.
std::string_view keyword_of(std::string_view line) {
  return line.substr(0, line.find_first_of(is_talk(line) ? " " : " \t"));
}

class Parser {
 public:
  Parser(std::vector<Line> lines, const std::string& file) : lines_{.all = std::move(lines)} {
    dialogue_.file = file;
  }

  Result<std::vector<Step>> parse_fragment() {
    is_fragment_ = true;
    parse_block(dialogue_.steps, 0);
    if (dialogue_.steps.empty() && errors_.empty()) complain(0, "the fragment has no steps");
    if (!errors_.empty()) return fail(join_errors(std::move(errors_)));
    return std::move(dialogue_.steps);
  }

  Result<Dialogue> parse() {
    parse_block(dialogue_.steps, 0);
    if (dialogue_.title.empty() && errors_.empty())
      complain(0, "the dialogue has no title", "begin the file with a comment that says what it shows");
    if (dialogue_.steps.empty() && errors_.empty()) complain(0, "the dialogue has no steps");
    if (!dialogue_.own_machine && changes_hardware_)
      complain(0, "only a dialogue with a machine of its own can choose the hardware",
               "add a line 'machine own'");
    if (!errors_.empty()) return fail(join_errors(std::move(errors_)));
    return std::move(dialogue_);
  }

 private:
  void complain(std::size_t index, std::string message, std::string hint = {}) {
    if (errors_.size() >= 50) return;
    const std::string source = index < lines_.all.size() ? printable(lines_.all[index].text, 300) : "";
    errors_.push_back(
        error_at(dialogue_.file, static_cast<int>(index) + 1, source, std::move(message), std::move(hint)));
  }

  void parse_block(std::vector<Step>& steps, int depth) {
    const std::size_t opened_at = lines_.next == 0 ? 0 : lines_.next - 1;
    while (!lines_.at_end()) {
      const std::size_t index = lines_.next++;
      const std::string bare(text::trim(lines_.all[index].text));
      if (bare.empty()) continue;
      if (bare[0] == '#') {
        if (dialogue_.title.empty()) take_title(bare);
        continue;
      }
      if (bare == "end" && !lines_.all[index].has_value) {
        if (depth > 0) return;
        complain(index, "'end' without 'wait … until' or 'each … in'");
        continue;
      }
      if (parse_header(bare, index, steps.empty() && depth == 0)) continue;
      steps.push_back(parse_step(bare, index, depth));
    }
    if (depth > 0) complain(opened_at, "the block has no 'end'");
  }

  void take_title(std::string_view comment) {
    const std::string_view title = text::trim(comment.substr(1));
    if (!title.starts_with("SPDX")) dialogue_.title = title;
  }

  /// "machine own", "firmware uefi" and the like: properties of the scenario, before its first step.
  bool parse_header(const std::string& bare, std::size_t index, bool first) {
    const std::vector<std::string> words = text::to_strings(text::split_words(bare));
    const MachineHeader* header = find_machine_header(words);
    if (header == nullptr) return false;
    if (is_fragment_)
      complain(index, "'" + words[0] + "' belongs in the dialogue that includes this");
    else if (!first)
      complain(index, "'" + words[0] + "' belongs before the first step");
    else if (!take_machine_header(words, dialogue_))
      complain(index, std::string("expected ") + header->form);
    if (!is_fragment_ && first && is_about_hardware(*header)) changes_hardware_ = true;
    return true;
  }

  Step parse_step(std::string_view bare, std::size_t index, int depth) {
    Step step;
    step.line = static_cast<int>(index) + 1;
    step.source = lines_.all[index].text;
    const std::string_view keyword = keyword_of(bare);
    const Verb* verb = find_verb(keyword);
    if (verb == nullptr) {
      complain_of_keyword(index, keyword);
      return step;
    }
    Arguments arguments(bare.substr(keyword.size()), lines_);
    step.action = verb->read(arguments);
    step.variables = arguments.variables();
    for (const std::string& mistake : arguments.mistakes()) complain(index, mistake);
    if (!arguments.fit() || !arguments.at_end())
      complain(index, "this line is not understood", "write: " + std::string(verb->form));
    else if (verb->has_block)
      parse_inner_block(step, index, depth);
    return step;
  }

  void complain_of_keyword(std::size_t index, std::string_view keyword) {
    if (is_talk(keyword))
      complain(index, "unknown kind of line",
               "lines of talk begin with '> ', '>raw ', '< ', '<~ ', '<* ' or '<! '");
    else
      complain(index, "unknown keyword '" + printable(keyword, 40) + "'");
  }

  void parse_inner_block(Step& step, std::size_t index, int depth) {
    if (depth >= kDeepestBlock) {
      complain(index, "blocks are nested too deep");
      return;
    }
    parse_block(step.block, depth + 1);
    if (step.block.empty()) complain(index, "the block is empty");
  }

  Lines lines_;
  Dialogue dialogue_;
  bool changes_hardware_ = false;
  bool is_fragment_ = false;
  std::vector<Error> errors_;
};

Status check_size(std::size_t bytes, std::size_t lines, const std::string& file) {
  if (bytes <= kMostBytes && lines <= kMostLines) return ok();
  return fail(ErrorKind::usage, file + " is too large for a dialogue");
}

}  // namespace

Error error_at(const std::string& file, int line, const std::string& source, std::string message,
               std::string hint) {
  const std::size_t start = std::min(source.find_first_not_of(" \t"), source.size());
  const int length = static_cast<int>(source.size() - start);
  return Error{ErrorKind::usage,
               std::move(message),
               Place{file, line, static_cast<int>(start) + 1, std::max(1, length), source},
               std::move(hint),
               {},
               {}};
}

Result<Dialogue> parse_dialogue(std::string_view text, const std::string& file) {
  std::vector<Line> lines;
  for (const std::string_view line : text::split_lines(text)) lines.push_back({std::string(line), false});
  CHECK_OK(check_size(text.size(), lines.size(), file));
  return Parser(std::move(lines), file).parse();
}

Result<std::vector<Step>> parse_steps(std::vector<Line> lines, const std::string& file) {
  std::size_t bytes = 0;
  for (const Line& line : lines) bytes += line.text.size() + 1;
  CHECK_OK(check_size(bytes, lines.size(), file));
  return Parser(std::move(lines), file).parse_fragment();
}

}  // namespace mailstead::mailtest
