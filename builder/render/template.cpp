// SPDX-License-Identifier: GPL-3.0-or-later
#include "render/template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace mailstead::render {
namespace {

constexpr std::size_t kDeepest = 16;

/// A piece of a parsed template; blocks hold their pieces.
struct Node {
  enum class Kind { text, insert, each, condition } kind = Kind::text;
  std::string_view text;    ///< text: as it is; else the path
  std::string_view filter;  ///< insert: "" or the name of a filter
  std::size_t offset = 0;   ///< of the "{{" in the template
  bool negated = false;     ///< condition: #unless
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_path(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

class Template {
 public:
  Template(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Result<std::string> render(const Value& context) {
    TRY(const std::vector<Node> nodes, parse());
    std::vector<const Value*> scopes{&context};
    std::string out;
    CHECK_OK(write(nodes, scopes, out));
    return out;
  }

 private:
  Error error_at(std::size_t offset, std::string message, std::string hint = {}) const {
    const std::string_view before = text_.substr(0, offset);
    const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    const std::size_t line_end = std::min(text_.find('\n', offset), text_.size());
    const std::size_t tag_end = text_.find("}}", offset);
    Place place;
    place.file = file_;
    place.line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
    place.column = static_cast<int>(offset - line_start) + 1;
    place.length = static_cast<int>(
        std::min(tag_end == std::string_view::npos ? line_end : tag_end + 2, line_end) - offset);
    place.source_line = std::string(text_.substr(line_start, line_end - line_start));
    return Error{ErrorKind::usage, std::move(message), std::move(place), std::move(hint), {}, {}};
  }

  struct Open {
    Node node;
    std::string_view name;  ///< of the closing tag: "each", "if", "unless"
    bool in_otherwise = false;
  };

  Result<std::vector<Node>> parse() {
    std::vector<Node> top;
    std::vector<Open> open;
    const auto current = [&]() -> std::vector<Node>& {
      if (open.empty()) return top;
      return open.back().in_otherwise ? open.back().node.otherwise : open.back().node.body;
    };
    std::size_t position = 0;
    while (position < text_.size()) {
      const std::size_t start = text_.find("{{", position);
      if (start == std::string_view::npos) break;
      const std::size_t close = text_.find("}}", start);
      if (close == std::string_view::npos) return fail(error_at(start, "'{{' without '}}'"));
      const std::string_view inside = text_.substr(start + 2, close - start - 2);
      std::size_t text_end = start;
      std::size_t next = close + 2;
      const bool is_insert = inside.empty() || (inside[0] != '#' && inside[0] != '/' && inside[0] != '!' &&
                                                trimmed(inside) != "else");
      if (!is_insert) take_whole_line(position, text_end, next);
      if (text_end > position) current().push_back(text_node(position, text_end));
      position = next;
      if (!inside.empty() && inside[0] == '!') continue;
      if (inside.find('\n') != std::string_view::npos)
        return fail(error_at(start, "a directive must be on one line"));
      if (is_insert) {
        TRY(Node node, insert_node(inside, start));
        current().push_back(std::move(node));
      } else if (inside[0] == '#') {
        if (open.size() == kDeepest)
          return fail(error_at(start, fmt::format("blocks are nested deeper than {}", kDeepest)));
        TRY(Open block, open_block(inside.substr(1), start));
        open.push_back(std::move(block));
      } else if (inside[0] == '/') {
        const std::string_view name = trimmed(inside.substr(1));
        if (open.empty()) return fail(error_at(start, fmt::format("'{{{{/{}}}}}' closes nothing", name)));
        if (open.back().name != name)
          return fail(error_at(
              start, fmt::format("'{{{{/{}}}}}' where '{{{{/{}}}}}' is needed", name, open.back().name)));
        Node finished = std::move(open.back().node);
        open.pop_back();
        current().push_back(std::move(finished));
      } else {
        if (open.empty() || open.back().node.kind != Node::Kind::condition || open.back().in_otherwise)
          return fail(error_at(start, "'{{else}}' belongs into an #if or #unless, once"));
        open.back().in_otherwise = true;
      }
    }
    if (!open.empty())
      return fail(error_at(open.back().node.offset,
                           fmt::format("this '#{0}' has no '{{{{/{0}}}}}'", open.back().name)));
    if (position < text_.size()) top.push_back(text_node(position, text_.size()));
    return top;
  }

  /// If the tag between `text_end` and `next` is alone on its line, takes the line's white space and end with
  /// it.
  void take_whole_line(std::size_t position, std::size_t& text_end, std::size_t& next) const {
    std::size_t line_start = text_end;
    while (line_start > position && (text_[line_start - 1] == ' ' || text_[line_start - 1] == '\t'))
      --line_start;
    if (line_start != 0 && text_[line_start - 1] != '\n') return;
    std::size_t line_end = next;
    while (line_end < text_.size() && (text_[line_end] == ' ' || text_[line_end] == '\t')) ++line_end;
    if (line_end < text_.size() && text_[line_end] != '\n') return;
    text_end = line_start;
    next = std::min(line_end + 1, text_.size());
  }

  Node text_node(std::size_t from, std::size_t to) const {
    Node node;
    node.text = text_.substr(from, to - from);
    node.offset = from;
    return node;
  }

  Result<Node> insert_node(std::string_view inside, std::size_t offset) const {
    Node node;
    node.kind = Node::Kind::insert;
    node.offset = offset;
    const std::size_t bar = inside.find('|');
    node.text = trimmed(inside.substr(0, bar));
    if (bar != std::string_view::npos) {
      node.filter = trimmed(inside.substr(bar + 1));
      if (node.filter != "quoted" && node.filter != "joined" && node.filter != "listed")
        return fail(error_at(offset, fmt::format("unknown filter '{}'", node.filter),
                             "the filters are quoted, joined and listed"));
    }
    if (!is_path(node.text)) return fail(error_at(offset, fmt::format("'{}' is not a name", node.text)));
    return node;
  }

  Result<Open> open_block(std::string_view inside, std::size_t offset) const {
    const std::size_t space = std::min(inside.find_first_of(" \t"), inside.size());
    Open block;
    block.name = inside.substr(0, space);
    block.node.offset = offset;
    block.node.text = trimmed(inside.substr(space));
    if (block.name == "each") {
      block.node.kind = Node::Kind::each;
    } else if (block.name == "if" || block.name == "unless") {
      block.node.kind = Node::Kind::condition;
      block.node.negated = block.name == "unless";
    } else {
      return fail(error_at(offset, fmt::format("unknown directive '#{}'", block.name),
                           "the directives are #each, #if and #unless"));
    }
    if (!is_path(block.node.text))
      return fail(error_at(offset, fmt::format("'{}' is not a name", block.node.text)));
    return block;
  }

  Result<const Value*> look_up(const Node& node, const std::vector<const Value*>& scopes) const {
    if (node.text == "this" && scopes.size() > 1 && scopes.back()->map() == nullptr) return scopes.back();
    const std::string_view first = node.text.substr(0, node.text.find('.'));
    for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
      // The innermost scope that knows the first name decides; the rest of the path is not looked for
      // elsewhere.
      if ((*scope)->member(first) == nullptr) continue;
      if (const Value* found = (*scope)->at(node.text)) return found;
      break;
    }
    return fail(error_at(node.offset, fmt::format("there is no '{}' here", node.text)));
  }

  Status write(const std::vector<Node>& nodes, std::vector<const Value*>& scopes, std::string& out) const {
    for (const Node& node : nodes) {
      if (node.kind == Node::Kind::text) {
        out += node.text;
        continue;
      }
      TRY(const Value* value, look_up(node, scopes));
      if (node.kind == Node::Kind::insert) {
        CHECK_OK(insert(node, *value, out));
      } else if (node.kind == Node::Kind::each) {
        if (value->list() == nullptr)
          return fail(error_at(node.offset, fmt::format("'{}' is not a list", node.text)));
        for (const Value& element : *value->list()) {
          scopes.push_back(&element);
          CHECK_OK(write(node.body, scopes, out));
          scopes.pop_back();
        }
      } else {
        if (value->flag() == nullptr && value->list() == nullptr)
          return fail(error_at(node.offset, fmt::format("'{}' is neither a boolean nor a list", node.text)));
        const bool holds = value->flag() != nullptr ? *value->flag() : !value->list()->empty();
        CHECK_OK(write(holds != node.negated ? node.body : node.otherwise, scopes, out));
      }
    }
    return ok();
  }

  Status insert(const Node& node, const Value& value, std::string& out) const {
    if (node.filter == "joined" || node.filter == "listed") {
      if (value.list() == nullptr)
        return fail(error_at(node.offset, fmt::format("'{}' is not a list", node.text)));
      bool first = true;
      for (const Value& element : *value.list()) {
        if (!first) out += node.filter == "joined" ? " " : ", ";
        first = false;
        CHECK_OK(insert_scalar(node, element, out));
      }
      return ok();
    }
    return insert_scalar(node, value, out);
  }

  Status insert_scalar(const Node& node, const Value& value, std::string& out) const {
    if (value.flag() != nullptr) {
      out += *value.flag() ? "true" : "false";
      return ok();
    }
    if (value.text() == nullptr)
      return fail(error_at(node.offset, fmt::format("'{}' is not a single value", node.text)));
    // A line end in a value would be a second line of configuration: whoever can choose the value could
    // configure us.
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (std::any_of(value.text()->begin(), value.text()->end(), is_control))
      return fail(
          error_at(node.offset, fmt::format("the value of '{}' holds a control character", node.text)));
    if (node.filter != "quoted") {
      out += *value.text();
      return ok();
    }
    out += '"';
    for (const char c : *value.text()) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
    return ok();
  }

  std::string_view text_;
  const std::string& file_;
};

}  // namespace

Result<std::string> render_template(std::string_view text, const std::string& file, const Value& context) {
  return Template(text, file).render(context);
}

}  // namespace mailstead::render
