// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mailstead::render {

/// What a template can name: a text (numbers are written out), a boolean, a list or a map.
class Value {
 public:
  using List = std::vector<Value>;
  using Map = std::map<std::string, Value, std::less<>>;

  Value() : data_(std::string()) {}
  Value(std::string text) : data_(std::move(text)) {}
  Value(const char* text) : data_(std::string(text)) {}
  Value(bool flag) : data_(flag) {}
  Value(std::uint64_t number) : data_(std::to_string(number)) {}
  Value(List list) : data_(std::move(list)) {}
  Value(Map map) : data_(std::move(map)) {}

  const std::string* text() const { return std::get_if<std::string>(&data_); }
  const bool* flag() const { return std::get_if<bool>(&data_); }
  const List* list() const { return std::get_if<List>(&data_); }
  const Map* map() const { return std::get_if<Map>(&data_); }

  /// The member `name` of a map; null when this is no map or has no such member.
  const Value* member(std::string_view name) const {
    const Map* members = map();
    if (members == nullptr) return nullptr;
    const auto found = members->find(name);
    return found == members->end() ? nullptr : &found->second;
  }

  /// Follows a dotted path ("network.dhcp") through maps; null when a part of it does not exist.
  const Value* at(std::string_view path) const;

 private:
  std::variant<std::string, bool, List, Map> data_;
};

/// A list of texts, in order.
Value::List to_list(const std::vector<std::string>& texts);

}  // namespace mailstead::render
