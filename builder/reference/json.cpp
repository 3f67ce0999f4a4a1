// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/json.hpp"

#include <nlohmann/json.hpp>

#include "reference/reference.hpp"
#include "spec/time_zones.hpp"
#include "yaml/yaml.hpp"

namespace mailstead::reference {
namespace {

using spec::Key;
using spec::Many;
using spec::Type;
using Json = nlohmann::ordered_json;

/// A word of YAML as the parser and an editor read it.
Json scalar_of(const Key& key, std::string_view text) {
  const bool can_be_bool =
      key.type == Type::boolean || key.type == Type::boolean_or_text || key.type == Type::choice;
  if (can_be_bool && (text == "true" || text == "false")) return text == "true";
  return std::string(text);
}

/// The fallback of a key; null if there is none, or it cannot be read.
Json fallback_of(const Key& key) {
  if (key.fallback.empty()) return nullptr;
  const auto document = yaml::Document::parse(std::string(key.fallback), "fallback");
  if (!document) return nullptr;
  yaml::Problems problems;
  if (!document->root().is_list()) return scalar_of(key, document->root().text());
  Json list = Json::array();
  for (const std::string& text : document->root().as_strings(problems)) list.push_back(scalar_of(key, text));
  return list;
}

Json text_like(std::string_view pattern) {
  return {{"type", "string"}, {"pattern", pattern}};
}

/// What a value of a type looks like, as far as a regular expression can tell without refusing a good one.
Json shape_of(Type type) {
  switch (type) {
    case Type::section:
    case Type::names:
      return {{"type", {"object", "null"}}};
    case Type::integer:
      return {{"type", "integer"}};
    case Type::size:
      return {{"type", {"integer", "string"}}, {"pattern", "^[0-9]+([KMGT](iB)?)?$"}};
    case Type::boolean:
      return {{"type", "boolean"}};
    case Type::boolean_or_text:
      return {{"type", {"boolean", "string"}}, {"pattern", "^[ -~]* [ -~]*$"}};
    case Type::choice:
      return Json::object();
    case Type::time_zone:
      return {{"enum", spec::time_zones()}};
    case Type::host_name:
    case Type::zone:
      return text_like(R"(^[^\s@/]+$)");
    case Type::mail_address:
      return text_like(R"(^[^\s@]+@[^\s@]+$)");
    case Type::ip_address:
      return text_like("^[0-9A-Fa-f:.]+$");
    case Type::ip_with_prefix:
      return text_like("^[0-9A-Fa-f:.]+/[0-9]{1,3}$");
    case Type::card:
      return text_like("^([0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}|[A-Za-z0-9_.-]{1,15})$");
    case Type::profile:
      return text_like("^[a-z0-9-]+$");
    case Type::selector:
      return text_like("^[A-Za-z0-9.-]+$");
    case Type::password_hash:
      return text_like(R"(^(\{[A-Za-z0-9.-]+\})?\$)");
    case Type::text:
    case Type::public_key:
    case Type::sieve:
    case Type::file:
      return {{"type", "string"}, {"minLength", 1}};
  }
  return {};
}

void add_bounds(const Key& key, Json& schema) {
  if (key.most == 0) return;
  switch (key.type) {
    case Type::integer:
    case Type::size:
      schema["minimum"] = key.least;
      schema["maximum"] = key.most;
      break;
    case Type::names:
      if (key.least > 0) schema["minProperties"] = key.least;
      schema["maxProperties"] = key.most;
      break;
    case Type::file:  // bounds of what is in it
      break;
    default:
      if (key.least > 0) schema["minLength"] = key.least;
      schema["maxLength"] = key.most;
  }
}

Json schema_of(const Key& key);

/// What the keys below `path` may be, and which of them must be there.
void add_keys(std::string_view path, Json& schema) {
  Json required = Json::array();
  for (const Key* key : spec::keys_in(path)) {
    schema["properties"][std::string(spec::name_of(*key))] = schema_of(*key);
    if (key->required) required.push_back(spec::name_of(*key));
  }
  schema["additionalProperties"] = false;
  if (!required.empty()) schema["required"] = required;
}

/// One value of a key that may have several.
Json one_of(const Key& key) {
  Json schema = shape_of(key.type);
  add_bounds(key, schema);
  if (key.type == Type::section) add_keys(key.path, schema);
  if (key.type == Type::names) {
    const Key& entry = *spec::keys_in(key.path).front();
    schema["propertyNames"] = shape_of(entry.name_type);
    schema["additionalProperties"] = schema_of(entry);
    // Nothing is no entry.
    if (key.least > 0) schema["type"] = "object";
  }
  for (const std::string_view word : key.choices) schema["enum"].push_back(scalar_of(key, word));
  return schema;
}

Json schema_of(const Key& key) {
  Json schema{{"description", key.says}};
  if (Json fallback = fallback_of(key); !fallback.is_null()) schema["default"] = std::move(fallback);
  Json one = one_of(key);
  if (key.many == Many::one) {
    schema.update(one);
    return schema;
  }
  Json list{{"type", "array"}, {"items", one}};
  if (key.many == Many::filled) list["minItems"] = 1;
  schema["anyOf"] = Json::array({std::move(one), std::move(list)});
  return schema;
}

}  // namespace

std::string to_json_schema() {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "Mailstead spec"},
              {"$comment", "SPDX-License-Identifier: GPL-3.0-or-later. Made from builder/spec/keys.hpp."},
              {"type", "object"}};
  add_keys("", schema);
  return json_document(schema);
}

std::string to_json(const std::vector<const Key*>& keys) {
  Json all = Json::array();
  for (const Key* key : keys) {
    Json one{{"key", key->path},
             {"description", key->says},
             {"type", type_name(key->type)},
             {"list", key->many != Many::one},
             {"required", key->required}};
    if (Json fallback = fallback_of(*key); !fallback.is_null()) one["default"] = std::move(fallback);
    if (!key->otherwise.empty()) one["otherwise"] = key->otherwise;
    if (key->most > 0) {
      one["least"] = key->least;
      one["most"] = key->most;
    }
    for (const std::string_view word : key->choices) one["choices"].push_back(scalar_of(*key, word));
    one["example"] = spec::example_text(*key);
    all.push_back(std::move(one));
  }
  return json_document(all);
}

}  // namespace mailstead::reference
