// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "yaml/look_alike.hpp"
#include "yaml/tree.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::yaml {
namespace {

constexpr std::size_t kMostProblems = 1000;
/// No line on a screen is longer; a quoted text of megabytes need not be measured to its end.
constexpr std::size_t kMostUnderlined = 400;

/// How many code points of the source the node at `offset` takes in its first line.
int length_in_line(std::string_view source, std::size_t offset) {
  const std::string_view rest = source.substr(std::min(offset, source.size()), kMostUnderlined);
  const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
  if (line.empty()) return 1;
  std::size_t end = 1;
  if (line[0] == '"' || line[0] == '\'') {
    end = std::min(end_of_quotes(line, 0), line.size());
  } else if (line[0] == '{' || line[0] == '[' || line[0] == '|' || line[0] == '>') {
    end = 1;
  } else {
    // A plain scalar ends before ": ", " #" and, inside of brackets, before ",", "]" and "}".
    while (end < line.size()) {
      const char c = line[end];
      const bool at_gap = end + 1 >= line.size() || line[end + 1] == ' ' || line[end + 1] == '\t';
      if ((c == ':' && at_gap) || (c == '#' && (line[end - 1] == ' ' || line[end - 1] == '\t'))) break;
      if (c == ',' || c == ']' || c == '}') break;
      if (end == 1 && line[0] == '-' && c == ' ') break;
      ++end;
    }
    while (end > 1 && (line[end - 1] == ' ' || line[end - 1] == '\t')) --end;
  }
  return static_cast<int>(
      std::count_if(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(end),
                    [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string how_to_write(std::string_view example) {
  return example.empty() ? std::string() : fmt::format("write {}", example);
}

/// What a value is in a message: its text, unless that could be a secret.
std::string shown(const Value& value) {
  const bool hidden = value.place().source_line.empty();
  return value.is_scalar() && !hidden ? quote(value.text()) : std::string(value.kind_name());
}

Error not_a_map(const Value& value, std::string_view example) {
  if (const auto joined = value.is_scalar() ? joined_entry(value.text()) : std::nullopt) {
    auto [message, hint] = joined_fault(*joined);
    return value.error(std::move(message), std::move(hint));
  }
  if (example.empty()) return value.error(fmt::format("expected a map, found {}", value.kind_name()));
  return value.error(fmt::format("{} takes keys of its own, not {}",
                                 quote(example.substr(0, example.find(": "))), shown(value)),
                     how_to_write(example));
}

}  // namespace

bool Problems::full() const {
  return errors_.size() >= kMostProblems;
}

void Problems::add(Error error) {
  add([&] { return std::move(error); });
}

Status Problems::finish() && {
  if (errors_.empty()) return ok();
  Error joined = join_errors(std::move(errors_));
  if (dropped_ > 0) {
    Error& last = joined.others.empty() ? joined : joined.others.back();
    last.notes.push_back(fmt::format("and {} more errors", dropped_));
  }
  return fail(std::move(joined));
}

bool Value::is_null() const {
  return impl_->kind == Impl::Kind::null;
}
bool Value::is_map() const {
  return impl_->kind == Impl::Kind::map;
}
bool Value::is_list() const {
  return impl_->kind == Impl::Kind::list;
}
bool Value::is_scalar() const {
  return impl_->kind == Impl::Kind::scalar;
}

Place Value::place() const {
  const Source& source = impl_->tree->source;
  return source.place(impl_->offset, length_in_line(source.text(), impl_->offset));
}

std::string_view Value::text() const {
  return std::string_view(impl_->tree->texts).substr(impl_->text_begin, impl_->text_size);
}

std::string_view Value::kind_name() const {
  switch (impl_->kind) {
    case Impl::Kind::null:
      return "nothing";
    case Impl::Kind::scalar:
      return "text";
    case Impl::Kind::list:
      return "a list";
    case Impl::Kind::map:
      return "a map";
  }
  return "";
}

Error Value::error(std::string message, std::string hint) const {
  return Error{ErrorKind::usage, std::move(message), place(), std::move(hint), {}, {}};
}

std::size_t Value::child_count() const {
  return impl_->child_count;
}

Value Value::child(std::size_t index) const {
  const Tree& tree = *impl_->tree;
  return Value(std::shared_ptr<const Impl>(impl_, &tree.nodes[tree.children[impl_->first_child + index]]));
}

std::optional<std::string> Value::as_string(Problems& problems) const {
  if (is_scalar()) return std::string(text());
  problems.add([&] { return error(fmt::format("expected text, found {}", kind_name())); });
  return std::nullopt;
}

std::optional<bool> Value::as_bool(Problems& problems) const {
  if (is_scalar() && text() == "true") return true;
  if (is_scalar() && text() == "false") return false;
  problems.add([&] {
    return error(fmt::format("expected true or false, found {}", is_scalar() ? quote(text()) : kind_name()));
  });
  return std::nullopt;
}

std::optional<std::int64_t> Value::as_integer(Problems& problems, std::int64_t least, std::int64_t most,
                                              std::string_view why) const {
  if (!is_scalar()) {
    problems.add(error(fmt::format("expected a number, found {}", kind_name())));
    return std::nullopt;
  }
  const std::string_view digits = text();
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  // "0755" is octal to some readers of YAML and decimal to others, so it is neither here.
  const std::string_view magnitude = digits.substr(digits.starts_with('-') ? 1 : 0);
  const bool padded = magnitude.size() > 1 && magnitude[0] == '0';
  if (status == std::errc::invalid_argument || end != digits.data() + digits.size() || padded) {
    problems.add(error(fmt::format("expected a number, found {}", quote(digits))));
    return std::nullopt;
  }
  if (status != std::errc() || number < least || number > most) {
    problems.add(
        error(fmt::format("{} is not between {} and {}", quote(digits), least, most), std::string(why)));
    return std::nullopt;
  }
  return number;
}

std::vector<Value> Value::as_list(Problems& problems, std::string_view example) const {
  std::vector<Value> items;
  if (is_scalar()) return {*this};
  if (is_map()) {
    problems.add([&] { return error("expected a list, found a map", how_to_write(example)); });
    return items;
  }
  items.reserve(child_count());
  for (std::size_t i = 0; i < child_count(); ++i) items.push_back(child(i));
  return items;
}

std::vector<std::string> Value::as_strings(Problems& problems) const {
  std::vector<std::string> strings;
  for (const Value& item : as_list(problems)) {
    if (auto text = item.as_string(problems)) strings.push_back(std::move(*text));
  }
  return strings;
}

MapReader::MapReader(const Value& map, Problems& problems, std::string_view example)
    : map_(map), problems_(problems) {
  if (!map.is_map()) {
    problems.add([&] { return not_a_map(map, example); });
    return;
  }
  // Sorted: whoever knows the hash of an unordered set can write keys that take quadratic time.
  std::set<std::string_view> seen;
  entries_.reserve(map.child_count() / 2);
  for (std::size_t i = 0; i + 1 < map.child_count(); i += 2) {
    const Value key = map.child(i);
    if (!key.is_scalar()) {
      problems.add([&] { return key.error(fmt::format("expected a key, found {}", key.kind_name())); });
    } else if (!seen.insert(key.text()).second) {
      problems.add([&] { return key.error(fmt::format("the key {} is listed twice", quote(key.text()))); });
    } else {
      entries_.push_back({key, map.child(i + 1)});
    }
  }
  taken_.resize(entries_.size());
}

std::optional<Value> MapReader::take(std::string_view key) {
  known_.emplace_back(key);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].key.text() == key) {
      taken_[i] = true;
      return entries_[i].value;
    }
  }
  return std::nullopt;
}

std::optional<Value> MapReader::require(std::string_view key) {
  std::optional<Value> value = take(key);
  // A value that is no map has been reported already.
  if (!value && map_.is_map())
    problems_.add([&] { return map_.error(fmt::format("the key '{}' is missing", key)); });
  return value;
}

std::vector<MapReader::Entry> MapReader::take_all() {
  taken_.assign(entries_.size(), true);
  return entries_;
}

void MapReader::finish(const std::function<std::string()>& remedy) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (taken_[i]) continue;
    const Value& key = entries_[i].key;
    problems_.add([&] {
      const auto joined = joined_entry(key.text());
      if (joined && std::find(known_.begin(), known_.end(), joined->key) != known_.end()) {
        auto [message, hint] = joined_fault(*joined);
        return key.error(std::move(message), std::move(hint));
      }
      return key.error(fmt::format("unknown key {}{}", quote(key.text()), did_you_mean(key.text(), known_)),
                       remedy ? remedy() : "");
    });
  }
}

std::string quote(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string out = "'";
  std::size_t count = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool begins = (byte & 0xc0) != 0x80;
    if (begins && count == kMost) {
      out += "…";
      break;
    }
    if (begins) ++count;
    // Escapes in a quoted scalar can make any character, also those that would steer a terminal.
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  for (const std::string& candidate : candidates) {
    if (const auto letter = hidden_difference(word, candidate))
      return fmt::format("; did you mean '{}'? They look the same, but {}", candidate, *letter);
  }
  const auto near = nearest(word, candidates);
  return near ? fmt::format("; did you mean '{}'?", *near) : "";
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > 256) return std::nullopt;
  std::optional<std::string> best;
  // A third of the letters may be wrong: beyond that a suggestion is a guess.
  std::size_t best_distance = std::min<std::size_t>(3, (word.size() + 1) / 3) + 1;
  std::vector<std::size_t> before_last, last, row;
  // Farther from the diagonal than this, the distance is too large already.
  constexpr std::size_t kBand = 3;
  constexpr std::size_t kFar = 1000;
  for (const std::string& candidate : candidates) {
    const std::size_t difference =
        candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
    if (difference >= best_distance) continue;
    // Damerau-Levenshtein distance with adjacent letters swapped, row by row; what is read beside the band is
    // set to kFar.
    for (auto* numbers : {&before_last, &last, &row}) numbers->resize(candidate.size() + 2);
    for (std::size_t j = 0; j <= std::min(candidate.size(), kBand); ++j) last[j] = j;
    last[std::min(candidate.size(), kBand) + 1] = kFar;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      const std::size_t begin = i > kBand ? i - kBand : 1;
      const std::size_t end = std::min(candidate.size(), i + kBand) + 1;
      row[begin - 1] = i > kBand ? kFar : i;
      row[end] = kFar;
      std::size_t least = row[begin - 1];
      for (std::size_t j = begin; j < end; ++j) {
        const std::size_t change = word[i - 1] == candidate[j - 1] ? 0 : 1;
        row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
        if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1]) {
          row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        least = std::min(least, row[j]);
      }
      before_last.swap(last);
      last.swap(row);
      if (least >= best_distance) {  // no row below can have less
        last[candidate.size()] = kFar;
        break;
      }
    }
    if (last[candidate.size()] < best_distance) {
      best_distance = last[candidate.size()];
      best = candidate;
    }
  }
  return best;
}

}  // namespace mailstead::yaml
