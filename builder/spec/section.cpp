// SPDX-License-Identifier: GPL-3.0-or-later
#include "spec/section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/program.hpp"
#include "spec/formats.hpp"
#include "spec/reading.hpp"

namespace mailstead::spec {

using yaml::quote;
using yaml::Value;

namespace {

/// "quota: 5G"; of a key whose name is the user's, the value alone.
std::string how_to_write(const Key& key) {
  const std::string_view name = name_of(key);
  return name == "*" ? std::string(key.example) : fmt::format("{}: {}", name, key.example);
}

std::string allowed_in(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key* key : keys_in(section)) names.push_back(name_of(*key));
  return fmt::format("allowed here: {}; `{}` describes them", fmt::join(names, ", "),
                     section.empty() ? own_command({"explain"}) : own_command({"explain", typed(section)}));
}

std::string message_example(const Key& key, std::string_view name) {
  return fmt::format("{}: {}", name.empty() ? name_of(key) : name, key.example);
}

}  // namespace

Result<Fallbacks> Fallbacks::make() {
  Fallbacks made;
  TRY(yaml::Document nothing, yaml::Document::parse("{}", "fallbacks"));
  made.documents_.push_back(std::move(nothing));
  for (const Key& key : kKeys) {
    const bool map = key.type == Type::section || key.type == Type::names;
    if (key.fallback.empty()) {
      made.values_.push_back(map ? std::optional(made.nothing()) : std::nullopt);
      continue;
    }
    TRY(yaml::Document document, yaml::Document::parse(std::string(key.fallback), "fallbacks"));
    made.values_.emplace_back(document.root());
    made.documents_.push_back(std::move(document));
  }
  return made;
}

std::optional<Value> Fallbacks::of(const Key& key) const {
  return values_[static_cast<std::size_t>(&key - kKeys.data())];
}

Value Fallbacks::nothing() const {
  return documents_.front().root();
}

Section::Section(Reading& reading, const Value& root)
    : reading_(reading), key_(nullptr), value_(root), map_(root, reading.problems) {}

Section::Section(Reading& reading, const Key& key, const Value& value, std::string_view name,
                 std::string example)
    : reading_(reading),
      key_(&key),
      value_(value),
      map_(value.is_null() ? reading.fallbacks.nothing() : value, reading.problems,
           value.is_map() || !example.empty() ? std::move(example) : message_example(key, name)) {}

std::optional<Field> Section::take(const Key& key) {
  // Without this, a record of another section would give its bounds to a key of the same name.
  if (parent_of(key) != (key_ == nullptr ? std::string_view() : key_->path)) return std::nullopt;
  if (const auto value = map_.take(name_of(key))) return Field{*value, &key, true};
  if (key.required) {
    // A value that is no map has been reported already, and so has an empty spec.
    if (value_.is_map() || (key_ != nullptr && value_.is_null()))
      reading_.problems.add([&] {
        return value_.error(fmt::format("the key '{}' is missing", name_of(key)),
                            "write " + how_to_write(key));
      });
    return std::nullopt;
  }
  const auto fallback = reading_.fallbacks.of(key);
  return fallback ? std::optional(Field{*fallback, &key, false}) : std::nullopt;
}

Field Section::get(const Key& key) {
  return take(key).value();
}

void Section::refuse(std::string_view name, std::string message, std::string hint) {
  if (const auto value = map_.take(name))
    reading_.problems.add(value->error(std::move(message), std::move(hint)));
}

std::vector<yaml::MapReader::Entry> Section::take_names() {
  auto entries = map_.take_all();
  if (key_->most > 0 && entries.size() > key_->most) {
    reading_.problems.add(entries[key_->most].key.error(
        fmt::format("the site has more than {} {}", key_->most, name_of(*key_))));
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(key_->most), entries.end());
  }
  if ((value_.is_map() || value_.is_null()) && entries.size() < key_->least)
    reading_.problems.add(
        value_.error(fmt::format("the site has no {}", name_of(*key_)), "write " + how_to_write(*key_)));
  return entries;
}

void Section::finish() {
  map_.finish([this] { return allowed_in(key_ == nullptr ? "" : key_->path); });
}

std::optional<std::uint64_t> Reading::number(const Field& field) {
  const Key& key = *field.key;
  const auto number = field.as_integer(problems, static_cast<std::int64_t>(key.least),
                                       static_cast<std::int64_t>(key.most), key.bounds_note);
  return number ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

std::optional<std::uint64_t> Reading::size(const Field& field) {
  const Key& key = *field.key;
  const auto text = field.as_string(problems);
  const auto size = text ? accept(parse_size(*text), field) : std::nullopt;
  if (!size || (*size >= key.least && *size <= key.most)) return size;
  problems.add(field.error(fmt::format("{} is not between {} and {}", quote(*text),
                                       bound_text(key, key.least), bound_text(key, key.most)),
                           std::string(key.bounds_note)));
  return std::nullopt;
}

std::optional<std::size_t> Reading::choice(const Key& key, const Value& value) {
  const auto at = std::ranges::find(key.choices, value.text());
  if (value.is_scalar() && at != key.choices.end()) return static_cast<std::size_t>(at - key.choices.begin());
  problems.add([&] {
    const std::vector<std::string> words(key.choices.begin(), key.choices.end());
    return value.error(fmt::format("'{}' must be {}, not {}{}", name_of(key), choices_text(key),
                                   value.is_scalar() ? quote(value.text()) : value.kind_name(),
                                   yaml::did_you_mean(value.text(), words)));
  });
  return std::nullopt;
}

std::vector<Value> Reading::items(const Field& field) {
  // A section may be one of a list of them.
  if (field.key->type == Type::section && !field.is_list()) return {field};
  auto items = field.as_list(problems, field.is_map() ? how_to_write(*field.key) : "");
  if (items.empty() && !field.is_map() && field.key->many == Many::filled)
    problems.add(field.error("the list is empty", "write " + how_to_write(*field.key)));
  return items;
}

}  // namespace mailstead::spec
