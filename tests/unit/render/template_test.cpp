// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/template.hpp"

#include "support/catch.hpp"

using namespace mailstead;
using render::Value;

namespace {

const Value kContext = Value::Map{
    {"name", "mail.example.org"},
    {"yes", true},
    {"no", false},
    {"empty", Value::List{}},
    {"quote", "a\"b\\c"},
    {"evil", "one\ntwo"},
    {"network", Value::Map{{"dhcp", true}}},
    {"servers", Value::List{"192.0.2.1", "192.0.2.2"}},
    {"domains", Value::List{Value::Map{{"name", "example.org"}, {"keys", Value::List{"k1", "k2"}}},
                            Value::Map{{"name", "example.net"}, {"keys", Value::List{}}}}},
};

std::string rendered(const std::string& text) {
  auto result = render::render_template(text, "t.tmpl", kContext);
  INFO((result ? "" : format_error(result.error())));
  REQUIRE(result);
  return *result;
}

struct Failure {
  std::string message;
  int line;
  int column;
};

Failure failure(const std::string& text) {
  const auto result = render::render_template(text, "t.tmpl", kContext);
  REQUIRE(!result);
  REQUIRE(result.error().kind == ErrorKind::usage);
  REQUIRE(result.error().place);
  CHECK(result.error().place->file == "t.tmpl");
  return {result.error().message, result.error().place->line, result.error().place->column};
}

void check_failure(const std::string& text, const std::string& message, int line, int column) {
  INFO(text);
  const Failure found = failure(text);
  CHECK(found.message == message);
  CHECK(found.line == line);
  CHECK(found.column == column);
}

}  // namespace

TEST_CASE("values are inserted as they are, quoted or joined") {
  CHECK(rendered("a {{ name }} b {{name}}") == "a mail.example.org b mail.example.org");
  CHECK(rendered("{{ network.dhcp }}") == "true");
  CHECK(rendered("{{ quote | quoted }}") == "\"a\\\"b\\\\c\"");
  CHECK(rendered("{{ servers | joined }}") == "192.0.2.1 192.0.2.2");
  CHECK(rendered("{{ empty | joined }}").empty());
  CHECK(rendered("no directive } { here") == "no directive } { here");
}

TEST_CASE("a directive alone on its line leaves no line behind") {
  CHECK(rendered("a\n  {{#if yes}}  \nb\n{{/if}}\nc\n") == "a\nb\nc\n");
  CHECK(rendered("a\n{{! a comment }}\nb") == "a\nb");
  CHECK(rendered("a {{! a comment }}\nb") == "a \nb");
  CHECK(rendered("{{#if yes}}x{{/if}}\n") == "x\n");
  CHECK(rendered("{{ name }}\n") == "mail.example.org\n");
  CHECK(rendered("{{#each servers}}\ns {{ this }}\n{{/each}}") == "s 192.0.2.1\ns 192.0.2.2\n");
}

TEST_CASE("conditions take booleans and lists") {
  CHECK(rendered("{{#if no}}a{{else}}b{{/if}}") == "b");
  CHECK(rendered("{{#unless no}}a{{else}}b{{/unless}}") == "a");
  CHECK(rendered("{{#if servers}}a{{/if}}{{#if empty}}b{{/if}}") == "a");
  CHECK(rendered("{{#if yes}}{{#if no}}a{{else}}b{{/if}}{{else}}c{{/if}}") == "b");
}

TEST_CASE("names of an element go before those around it") {
  CHECK(
      rendered(
          "{{#each domains}}{{ name }}:{{#each keys}}{{ this }}@{{ name }},{{/each}};{{/each}} {{ name }}") ==
      "example.org:k1@example.org,k2@example.org,;example.net:; mail.example.org");
}

TEST_CASE("what is wrong in a template is an error with its place") {
  check_failure("a\nb {{ nme }}", "there is no 'nme' here", 2, 3);
  check_failure("{{ network.nme }}", "there is no 'network.nme' here", 1, 1);
  check_failure("{{ this }}", "there is no 'this' here", 1, 1);
  check_failure("\n{{#if yes}}\n", "this '#if' has no '{{/if}}'", 2, 1);
  check_failure("{{#each servers}}{{/if}}", "'{{/if}}' where '{{/each}}' is needed", 1, 18);
  check_failure("{{/if}}", "'{{/if}}' closes nothing", 1, 1);
  check_failure("{{else}}", "'{{else}}' belongs into an #if or #unless, once", 1, 1);
  check_failure("{{#if yes}}{{else}}{{else}}{{/if}}", "'{{else}}' belongs into an #if or #unless, once", 1,
                20);
  check_failure("{{#each servers}}{{else}}{{/each}}", "'{{else}}' belongs into an #if or #unless, once", 1,
                18);
  check_failure("a {{ name", "'{{' without '}}'", 1, 3);
  check_failure("{{#with name}}", "unknown directive '#with'", 1, 1);
  check_failure("{{ name | html }}", "unknown filter 'html'", 1, 1);
  check_failure("{{ }}", "'' is not a name", 1, 1);
  check_failure("{{ a..b }}", "'a..b' is not a name", 1, 1);
  check_failure("{{#if\nyes}}{{/if}}", "a directive must be on one line", 1, 1);
  check_failure("{{ servers }}", "'servers' is not a single value", 1, 1);
  check_failure("{{ name | joined }}", "'name' is not a list", 1, 1);
  check_failure("{{#each name}}{{/each}}", "'name' is not a list", 1, 1);
  check_failure("{{#if name}}{{/if}}", "'name' is neither a boolean nor a list", 1, 1);
  check_failure("x\n\n {{ evil }}", "the value of 'evil' holds a control character", 3, 2);
  check_failure("{{ evil | quoted }}", "the value of 'evil' holds a control character", 1, 1);
}

TEST_CASE("blocks may not be nested without end") {
  std::string text;
  for (int i = 0; i < 17; ++i) text += "{{#if yes}}";
  CHECK(failure(text).message == "blocks are nested deeper than 16");
}
