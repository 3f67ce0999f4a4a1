// SPDX-License-Identifier: GPL-3.0-or-later
#include "mailtest/dialogue.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "mailtest/fragment.hpp"
#include "mailtest/text.hpp"
#include "text/split.hpp"

namespace mailstead::mailtest {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::size_t kMostLines = 20'000;
constexpr int kDeepestBlock = 4;

/// A line before the first step.
struct Header {
  std::string_view name;
  std::size_t most_words;
  const char* form;
};
constexpr Header kHeaders[] = {
    {"machine", 9, "'machine shared|own|own off'"},
    {"firmware", 9, platform::kFirmwareForm},
    {"disk", 9, "'disk SIZE', such as 'disk 4G'"},
    {"clock", 9, "'clock DATE', such as 'clock 1990-01-01'"},
    {"disk-controller", 9, "'disk-controller DEVICE', such as 'disk-controller megasas'"},
    {"network-card", 9, "'network-card DEVICE', such as 'network-card e1000e'"},
    {"screen", 1, "'screen'"},
};

/// What may follow a keyword: `form` is shown when it does not.
struct Keyword {
  Verb verb;
  std::size_t fewest;
  std::size_t most;
  const char* form;
};

const std::map<std::string, Keyword, std::less<>>& keywords() {
  static const std::map<std::string, Keyword, std::less<>> table = {
      {"connect",
       {Verb::connect, 3, 8, "connect smtp|imap|sieve|plain ADDRESS PORT [tls] [from ADDRESS] [as NAME]"}},
      {"use", {Verb::use, 1, 1, "use NAME"}},
      {"close", {Verb::close, 0, 0, "close"}},
      {"expect-close", {Verb::expect_close, 0, 0, "expect-close"}},
      {"expect-refused", {Verb::expect_refused, 2, 4, "expect-refused ADDRESS PORT [from ADDRESS]"}},
      {"starttls", {Verb::starttls, 0, 3, "starttls [offering VERSION SUITE]"}},
      {"tls", {Verb::tls, 0, 3, "tls [offering VERSION SUITE]"}},
      {"tls-refused", {Verb::tls_refused, 3, 3, "tls-refused offering VERSION SUITE"}},
      {"certificate", {Verb::certificate, 1, 4, "certificate NAME [trusted by FILE]"}},
      {"auth-plain", {Verb::auth_plain, 2, 2, "auth-plain USER PASSWORD"}},
      {"data", {Verb::data, 1, 1, "data <<END, or data NAME"}},
      {"message", {Verb::message, 2, 12, "message NAME <<END, or message NAME by SCRIPT ARGUMENT…"}},
      {"capture", {Verb::capture, 1, 99, "capture REGEX"}},
      {"set", {Verb::set, 2, 999, "set NAME = TEXT"}},
      {"check", {Verb::check, 3, 999, "check NAME contains|lacks|equals|matches TEXT"}},
      {"pause", {Verb::pause, 1, 1, "pause TIME"}},
      {"wait", {Verb::wait_until, 2, 2, "wait TIME until"}},
      {"each", {Verb::each, 3, 16, "each NAME… in FILE [where NAME is TEXT]"}},
      {"include", {Verb::include, 1, 99, "include FILE.part NAME=VALUE…"}},
      {"answers", {Verb::answers, 2, 2, "answers within TIME"}},
      {"received", {Verb::received, 6, 6, "received within TIME to ADDRESS as NAME"}},
      {"not-received", {Verb::not_received, 4, 4, "not-received within TIME to ADDRESS"}},
      {"verify-dkim", {Verb::verify_dkim, 5, 5, "verify-dkim NAME domain DOMAIN algorithms NAME,NAME"}},
      {"reboot", {Verb::reboot, 0, 0, "reboot"}},
      {"power-cut", {Verb::power_cut, 0, 1, "power-cut [off]"}},
      {"power-off", {Verb::power_off, 0, 0, "power-off"}},
      {"power-on", {Verb::power_on, 0, 0, "power-on"}},
      {"wait-boot", {Verb::wait_boot, 0, 2, "wait-boot [within TIME]"}},
      {"ports-open", {Verb::ports_open, 1, 200, "ports-open ADDRESS PORT…"}},
      {"ssh", {Verb::ssh, 3, 99, "ssh ADDRESS KEY-FILE COMMAND"}},
      {"ssh-refuses", {Verb::ssh_refuses, 2, 2, "ssh-refuses ADDRESS METHOD"}},
      {"journal",
       {Verb::journal, 1, 99, "journal has|lacks|except REGEX, journal no-errors|no-failed-units"}},
      {"serial", {Verb::serial, 2, 99, "serial has|lacks REGEX"}},
      {"wait-serial", {Verb::wait_serial, 3, 99, "wait-serial within TIME REGEX"}},
      {"disk-size", {Verb::disk_size, 1, 1, "disk-size SIZE, such as 4G"}},
      {"other-disk", {Verb::other_disk, 1, 1, "other-disk LABEL"}},
      {"data-partition", {Verb::data_partition, 1, 1, "data-partition sound|fills-disk"}},
      {"segment-size", {Verb::segment_size, 1, 1, "segment-size BYTES"}},
      {"oracle", {Verb::oracle, 1, 20, "oracle PROGRAM [ARGUMENT…]"}},
      {"oracle-begin", {Verb::oracle_begin, 1, 20, "oracle-begin PROGRAM [ARGUMENT…]"}},
      {"oracle-end", {Verb::oracle_end, 2, 2, "oracle-end within TIME"}},
      {"write-image", {Verb::write_image, 1, 1, "write-image whole|slots"}},
      {"write-disk", {Verb::write_disk, 2, 99, "write-disk PLACE \"BYTES\", PLACE such as 2G+1024"}},
      {"debugfs", {Verb::debugfs, 1, 99, "debugfs REQUEST"}},
      {"copied-disk", {Verb::copied_disk, 1, 1, "copied-disk attach|detach|unchanged"}},
      {"press", {Verb::press, 1, 99, "press KEY…"}},
      {"screen", {Verb::screen, 2, 99, "screen has|lacks REGEX"}},
  };
  return table;
}

bool is_port(const std::string& word) {
  if (word.find("${") != std::string::npos) return true;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
  return error == std::errc{} && end == word.data() + word.size() && port >= 1 && port <= 65535;
}

/// Everything after the first `count` words, without the blanks around it.
std::string after_words(std::string_view line, std::size_t count) {
  std::size_t at = line.find_first_not_of(" \t");
  for (std::size_t i = 0; i < count && at != std::string_view::npos; ++i) {
    at = line.find_first_of(" \t", at);
    if (at != std::string_view::npos) at = line.find_first_not_of(" \t", at);
  }
  if (at == std::string_view::npos) return {};
  return std::string(line.substr(at, line.find_last_not_of(" \t") + 1 - at));
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : lines_(text::to_strings(text::split_lines(text))) {
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
      complain(0, "what a machine is like can be said only of a machine of its own",
               "add a line 'machine own'");
    if (!errors_.empty()) return fail(join_errors(std::move(errors_)));
    return std::move(dialogue_);
  }

 private:
  void complain(std::size_t index, std::string message, std::string hint = {}) {
    if (errors_.size() >= 50) return;
    const std::string source = index < lines_.size() ? printable(lines_[index], 300) : "";
    errors_.push_back(
        error_at(dialogue_.file, static_cast<int>(index) + 1, source, std::move(message), std::move(hint)));
  }

  void parse_block(std::vector<Step>& steps, int depth) {
    const std::size_t opened_at = next_ == 0 ? 0 : next_ - 1;
    while (next_ < lines_.size()) {
      const std::size_t index = next_++;
      const std::string& line = lines_[index];
      const std::size_t start = line.find_first_not_of(" \t");
      if (start == std::string::npos) continue;
      if (line[start] == '#') {
        if (dialogue_.title.empty()) take_title(line.substr(start));
        continue;
      }
      const std::string bare = after_words(line, 0);
      if (bare == "end") {
        if (depth > 0) return;
        complain(index, "'end' without 'wait … until' or 'each … in'");
        continue;
      }
      Step step;
      step.line = static_cast<int>(index) + 1;
      step.source = line;
      if (parse_header(bare, index, steps.empty() && depth == 0)) continue;
      if (!parse_talk(step, bare, index)) parse_keyword(step, bare, index, depth);
      steps.push_back(std::move(step));
    }
    if (depth > 0) complain(opened_at, "the block has no 'end'");
  }

  void take_title(std::string_view comment) {
    comment.remove_prefix(1);
    const std::string title = after_words(comment, 0);
    if (title.substr(0, 4) != "SPDX") dialogue_.title = title;
  }

  /// Lines that begin with < or >.
  bool parse_talk(Step& step, std::string_view bare, std::size_t index) {
    static constexpr std::pair<std::string_view, Verb> kForms[] = {
        {">raw ", Verb::send_raw}, {"> ", Verb::send},         {"<~ ", Verb::expect_regex},
        {"<* ", Verb::reply_has},  {"<! ", Verb::reply_lacks}, {"< ", Verb::expect_glob}};
    if (bare == ">") {
      step.verb = Verb::send;
      return true;
    }
    for (const auto& [form, verb] : kForms) {
      if (bare.substr(0, form.size()) != form) continue;
      step.verb = verb;
      step.text = std::string(bare.substr(form.size()));
      if (verb == Verb::expect_regex)
        if (auto status = check_regex(step.text); !status) complain(index, status.error().message);
      if (verb == Verb::send_raw) take_quoted(step, index);
      return true;
    }
    if (bare[0] != '<' && bare[0] != '>') return false;
    complain(index, "unknown kind of line",
             "lines of talk begin with '> ', '>raw ', '< ', '<~ ', '<* ' or '<! '");
    return true;
  }

  void take_quoted(Step& step, std::size_t index) {
    const std::string& text = step.text;
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
      complain(index, "bytes are written in double quotes");
      return;
    }
    auto value = unescape(std::string_view(text).substr(1, text.size() - 2));
    if (value)
      step.text = *std::move(value);
    else
      complain(index, value.error().message);
  }

  /// "machine own", "firmware uefi" and the like: properties of the scenario, before its first step.
  bool parse_header(const std::string& bare, std::size_t index, bool first) {
    const std::vector<std::string> words = text::to_strings(text::split_words(bare));
    const auto header = std::find_if(std::begin(kHeaders), std::end(kHeaders),
                                     [&](const Header& one) { return one.name == words[0]; });
    // `screen` alone is a header, `screen has …` a step.
    if (header == std::end(kHeaders) || words.size() > header->most_words) return false;
    if (is_fragment_)
      complain(index, "'" + words[0] + "' belongs into the dialogue that includes this");
    else if (!first)
      complain(index, "'" + words[0] + "' belongs before the first step");
    else if (!take_header(words))
      complain(index, std::string("expected ") + header->form);
    return true;
  }

  bool take_header(const std::vector<std::string>& words) {
    const std::string& name = words[0];
    const std::string value = words.size() > 1 ? words[1] : "";
    vm::Hardware& hardware = dialogue_.hardware;
    if (name == "machine") {
      dialogue_.own_machine = value == "own";
      dialogue_.starts_off = words.size() == 3;
      return words.size() == 3 ? value == "own" && words[2] == "off" : value == "own" || value == "shared";
    }
    changes_hardware_ = true;
    if (name == "disk") hardware.disk_bytes = parse_size(value).value_or(0);
    if (name == "clock") hardware.clock = value;
    if (name == "disk-controller") hardware.disk_controller = value;
    if (name == "network-card") hardware.network_card = value;
    if (name == "screen") hardware.screen = true;
    if (name == "disk") return hardware.disk_bytes != 0;
    if (name == "firmware") return take_firmware(value);
    if (name == "screen") return words.size() == 1;
    return words.size() == 2 &&
           value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-:T") == std::string::npos;
  }

  bool take_firmware(const std::string& value) {
    for (const auto firmware : platform::kFirmwares) {
      if (value != vm::name_of(firmware)) continue;
      dialogue_.hardware.firmware = firmware;
      return true;
    }
    return false;
  }

  void parse_keyword(Step& step, const std::string& bare, std::size_t index, int depth) {
    std::vector<std::string> words = text::to_strings(text::split_words(bare));
    const auto found = keywords().find(words[0]);
    if (found == keywords().end()) {
      complain(index, "unknown keyword '" + printable(words[0], 40) + "'");
      return;
    }
    const Keyword& keyword = found->second;
    step.verb = keyword.verb;
    words.erase(words.begin());
    step.words = std::move(words);
    if (step.words.size() < keyword.fewest || step.words.size() > keyword.most || !fits(step, bare, index)) {
      complain(index, "this line is not understood", std::string("write: ") + keyword.form);
      return;
    }
    if (step.verb == Verb::wait_until || step.verb == Verb::each) {
      if (depth >= kDeepestBlock) {
        complain(index, "blocks are nested too deep");
        return;
      }
      parse_block(step.block, depth + 1);
      if (step.block.empty()) complain(index, "the block is empty");
    }
  }

  bool fits(Step& step, const std::string& bare, std::size_t index) {
    const std::vector<std::string>& w = step.words;
    switch (step.verb) {
      case Verb::connect:
        return fits_connect(w);
      case Verb::starttls:
      case Verb::tls:
      case Verb::tls_refused:
        return w.empty() || (w.size() == 3 && w[0] == "offering");
      case Verb::expect_refused:
        return is_port(w[1]) && (w.size() == 2 || (w.size() == 4 && w[2] == "from"));
      case Verb::data:
        return take_here_text(step, index);
      case Verb::message:
        if (w[1] == "by") return w.size() > 2 && w[2].find('/') == std::string::npos;
        return w.size() == 2 && take_here_text(step, index);
      case Verb::capture:
        return take_regex(step, after_words(bare, 1), index);
      case Verb::set:
        step.text = after_words(bare, 3);
        return w[1] == "=";
      case Verb::check:
        step.text = after_words(bare, 3);
        if (w[1] == "matches") return take_regex(step, step.text, index);
        return w[1] == "contains" || w[1] == "lacks" || w[1] == "equals";
      case Verb::pause:
        return take_time(step, w[0]);
      case Verb::wait_until:
        return w[1] == "until" && take_time(step, w[0]);
      case Verb::each:
        return take_each(step);
      case Verb::include:
        return take_include(step, bare);
      case Verb::answers:
        return w[0] == "within" && take_time(step, w[1]);
      case Verb::received:
        return w[0] == "within" && take_time(step, w[1]) && w[2] == "to" && w[4] == "as";
      case Verb::not_received:
        return w[0] == "within" && take_time(step, w[1]) && w[2] == "to";
      case Verb::verify_dkim:
        return w[1] == "domain" && w[3] == "algorithms";
      case Verb::wait_boot:
        step.time = std::chrono::minutes(5);
        return w.empty() || (w.size() == 2 && w[0] == "within" && take_time(step, w[1]));
      case Verb::certificate:
        return w.size() == 1 || (w.size() == 4 && w[1] == "trusted" && w[2] == "by");
      case Verb::ssh:
        step.text = after_words(bare, 3);
        return true;
      case Verb::ports_open:
        return std::all_of(w.begin() + 1, w.end(), is_port);
      case Verb::journal:
        if (w[0] == "no-errors" || w[0] == "no-failed-units") return w.size() == 1;
        if (w[0] != "has" && w[0] != "lacks" && w[0] != "except") return false;
        return w.size() > 1 && take_regex(step, after_words(bare, 2), index);
      case Verb::wait_serial:
        return w[0] == "within" && take_time(step, w[1]) && take_regex(step, after_words(bare, 3), index);
      case Verb::disk_size: {
        const auto size = parse_size(w[0]);
        if (size) step.bytes = *size;
        return size.has_value();
      }
      case Verb::data_partition:
        return w[0] == "sound" || w[0] == "fills-disk";
      case Verb::segment_size:
        return is_port(w[0]);  // a number of the same size
      case Verb::oracle:
      case Verb::oracle_begin:
        return w[0].find('/') == std::string::npos;
      case Verb::oracle_end:
        return w[0] == "within" && take_time(step, w[1]);
      case Verb::power_cut:
        return w.empty() || w[0] == "off";
      case Verb::write_image:
        return w[0] == "whole" || w[0] == "slots";
      case Verb::write_disk: {
        const auto place = parse_place(w[0]);
        if (place) step.bytes = *place;
        step.text = after_words(bare, 2);
        take_quoted(step, index);
        return place.has_value();
      }
      case Verb::debugfs:
        step.text = after_words(bare, 1);
        return true;
      case Verb::copied_disk:
        return w[0] == "attach" || w[0] == "detach" || w[0] == "unchanged";
      case Verb::screen:
      case Verb::serial:
        return (w[0] == "has" || w[0] == "lacks") && take_regex(step, after_words(bare, 2), index);
      default:
        return true;
    }
  }

  /// NAME… in FILE [where NAME is TEXT]
  static bool take_each(Step& step) {
    auto& w = step.words;
    const auto in = std::find(w.begin(), w.end(), "in");
    const std::vector<std::string> rest(in, w.end());
    w.erase(in, w.end());
    const bool has_condition = rest.size() == 6;
    if (w.empty() || (rest.size() != 2 && !has_condition) || rest[1].find('/') != std::string::npos)
      return false;
    step.text = rest[1];
    if (!has_condition) return true;
    step.condition = {rest[3], rest[5]};
    return rest[2] == "where" && rest[4] == "is" && std::find(w.begin(), w.end(), rest[3]) != w.end();
  }

  /// FILE.part NAME=VALUE…, in the next line too if there is a backslash at the end.
  bool take_include(Step& step, std::string line) {
    while (line.ends_with(" \\") && next_ < lines_.size()) {
      line.pop_back();
      line += after_words(lines_[next_++], 0);
    }
    auto& w = step.words;
    auto words = split_arguments(line);
    if (!words || words->size() < 2) return false;
    w = *std::move(words);
    step.text = w[1];
    w.erase(w.begin(), w.begin() + 2);
    return step.text.ends_with(".part") && step.text.find('/') == std::string::npos &&
           std::all_of(w.begin(), w.end(), [](const std::string& word) {
             const std::size_t equals = word.find('=');
             return equals != std::string::npos && equals > 0;
           });
  }

  static bool fits_connect(const std::vector<std::string>& w) {
    if (w[0] != "smtp" && w[0] != "imap" && w[0] != "sieve" && w[0] != "plain") return false;
    if (!is_port(w[2])) return false;
    std::size_t i = 3;
    if (i < w.size() && w[i] == "tls") ++i;
    if (i + 1 < w.size() && w[i] == "from") i += 2;
    if (i + 1 < w.size() && w[i] == "as") i += 2;
    return i == w.size();
  }

  static bool take_time(Step& step, const std::string& word) {
    const auto time = parse_duration(word);
    if (time) step.time = *time;
    return time.has_value();
  }

  bool take_regex(Step& step, std::string expression, std::size_t index) {
    step.text = std::move(expression);
    if (auto status = check_regex(step.text); !status) complain(index, status.error().message);
    return true;
  }

  /// "<<END" and the lines up to one that is exactly END. `data NAME` sends a message kept before instead.
  bool take_here_text(Step& step, std::size_t index) {
    const std::string& mark = step.words.back();
    if (mark.substr(0, 2) != "<<") return step.verb == Verb::data;
    if (mark.size() == 2) return false;
    const std::string end = mark.substr(2);
    while (next_ < lines_.size()) {
      const std::string& line = lines_[next_++];
      if (line == end) return true;
      step.text += line + "\n";
    }
    complain(index, "the text has no line '" + printable(end, 40) + "' at its end");
    return true;
  }

  std::vector<std::string> lines_;
  std::size_t next_ = 0;
  Dialogue dialogue_;
  bool changes_hardware_ = false;
  bool is_fragment_ = false;
  std::vector<Error> errors_;
};

Status check_size(std::string_view text, const std::string& file) {
  if (text.size() > kMostBytes || std::count(text.begin(), text.end(), '\n') > static_cast<long>(kMostLines))
    return fail(ErrorKind::usage, file + " is too large for a dialogue");
  return ok();
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
  CHECK_OK(check_size(text, file));
  return Parser(text, file).parse();
}

Result<std::vector<Step>> parse_steps(std::string_view text, const std::string& file) {
  CHECK_OK(check_size(text, file));
  return Parser(text, file).parse_fragment();
}

}  // namespace mailstead::mailtest
