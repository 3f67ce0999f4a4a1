// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <streambuf>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "yaml/tree.hpp"

namespace mailstead::yaml {
namespace {

/// Feeds yaml-cpp, which reads ahead until it knows whether a map key began: "[[[[…" would be queued whole,
/// at a hundred bytes for a byte. So it gets no more than kMostWithoutNode beyond the last node that it told
/// us of.
class BoundedInput : public std::streambuf {
 public:
  explicit BoundedInput(std::string_view text) : text_(text), limit_(kMostWithoutNode) {}
  void node_at(std::size_t offset) { limit_ = std::max(limit_, offset + kMostWithoutNode); }
  bool exhausted() const { return exhausted_; }

 protected:
  std::streamsize xsgetn(char* to, std::streamsize count) override {
    // The only way to end a read that yaml-cpp notices.
    if (at_ >= limit_ && at_ < text_.size()) {
      exhausted_ = true;
      throw std::ios_base::failure("too long");
    }
    const std::size_t size = std::min(static_cast<std::size_t>(count), text_.size() - at_);
    std::copy_n(text_.data() + at_, size, to);
    at_ += size;
    return static_cast<std::streamsize>(size);
  }
  int_type underflow() override {
    return at_ < text_.size() ? traits_type::to_int_type(text_[at_]) : traits_type::eof();
  }
  int_type uflow() override {
    return at_ < text_.size() ? traits_type::to_int_type(text_[at_++]) : traits_type::eof();
  }
  int_type pbackfail(int_type) override {
    return at_ > 0 ? traits_type::to_int_type(text_[--at_]) : traits_type::eof();
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t limit_;
  bool exhausted_ = false;
};

/// The user asked to stop. Thrown out of yaml-cpp's callbacks; does not leave this folder.
struct Stopped {};

/// Makes a Tree of yaml-cpp's events and keeps the bounds.
class Builder : public YAML::EventHandler {
 public:
  Builder(Tree& tree, BoundedInput& input) : tree_(tree), input_(input) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_)
      throw Fault{offset(mark), "the file holds more than one document", "leave out the line '---'"};
    started_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::size_t at = offset(mark);
    const std::string_view here = std::string_view(tree_.source.text()).substr(at, 4);
    const bool written =
        here.starts_with('~') || here == "null" || here == "Null" || here == "NULL" || anchor != 0;
    add(Value::Impl::Kind::null, written ? at : place_of_nothing(at), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    refuse_open_quote(offset(mark));
    const auto expanded = static_cast<std::uint32_t>(1 + value.size() / kBytesOfNode);
    Value::Impl& node = tree_.nodes[add(Value::Impl::Kind::scalar, offset(mark), anchor, expanded)];
    node.text_begin = static_cast<std::uint32_t>(tree_.texts.size());
    node.text_size = static_cast<std::uint32_t>(value.size());
    tree_.texts += value;
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (anchor >= anchors_.size() || anchors_[anchor] == kOpen) {
      throw Fault{offset(mark), "the alias names something that it is a part of", "write it out"};
    }
    attach(anchors_[anchor], offset(mark));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Value::Impl::Kind::list, offset(mark), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Value::Impl::Kind::map, offset(mark), anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  static constexpr std::uint32_t kOpen = UINT32_MAX;
  struct Level {
    std::uint32_t node;
    YAML::anchor_t anchor;
    std::vector<std::uint32_t> children;
  };

  std::size_t offset(const YAML::Mark& mark) const {
    return std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), tree_.source.text().size());
  }

  /// yaml-cpp places a missing value at whatever comes after it, perhaps pages below.
  std::size_t place_of_nothing(std::size_t at) const {
    if (levels_.empty() || tree_.nodes.empty()) return at;
    const Level& level = levels_.back();
    if (tree_.nodes[level.node].kind == Value::Impl::Kind::map && level.children.size() % 2 == 1) {
      return tree_.nodes[level.children.back()].offset;
    }
    const std::size_t from = tree_.nodes.back().offset;
    const std::string_view between =
        std::string_view(tree_.source.text()).substr(from, at - std::min(from, at));
    const std::size_t dash = between.rfind('-');
    return dash == std::string_view::npos ? at : from + dash;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag != "?" && tag != "!" && !tag.empty()) {
      // Not named: a text that begins with '!' can be a password.
      throw Fault{offset(mark), "tags are not known here", "put quotes around a text that begins with '!'"};
    }
  }

  /// yaml-cpp takes a text in quotes without its end, if the file ends with a newline.
  void refuse_open_quote(std::size_t at) const {
    const std::string_view text = tree_.source.text();
    if (at < text.size() && text[at] == '&')
      at = text.find_first_not_of(" \t\r\n", text.find_first_of(" \t\r\n", at));
    if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return;
    if (end_of_quotes(text, at) == std::string_view::npos) throw open_quote(at);
  }

  std::uint32_t add(Value::Impl::Kind kind, std::size_t at, YAML::anchor_t anchor,
                    std::uint32_t expanded = 1) {
    if (interrupted()) throw Stopped{};
    if (tree_.nodes.size() >= kMostNodes) {
      throw Fault{at, fmt::format("the file holds more than {} values", kMostNodes), {}};
    }
    const auto number = static_cast<std::uint32_t>(tree_.nodes.size());
    Value::Impl& node = tree_.nodes.emplace_back();
    node.tree = &tree_;
    node.offset = static_cast<std::uint32_t>(at);
    node.kind = kind;
    node.end_node = number + 1;
    node.expanded = expanded;
    input_.node_at(at);
    if (kind == Value::Impl::Kind::list || kind == Value::Impl::Kind::map) {
      name(anchor, kOpen);
    } else {
      name(anchor, number);
      attach(number, at);
    }
    return number;
  }

  void name(YAML::anchor_t anchor, std::uint32_t number) {
    if (anchor == 0) return;
    if (anchors_.size() <= anchor) anchors_.resize(anchor + 1, kOpen);
    anchors_[anchor] = number;
  }

  /// Makes a finished node the next child of the open one.
  void attach(std::uint32_t number, std::size_t at) {
    if (levels_.empty()) return;
    const Value::Impl& child = tree_.nodes[number];
    Value::Impl& parent = tree_.nodes[levels_.back().node];
    parent.expanded =
        std::min(parent.expanded + child.expanded, static_cast<std::uint32_t>(kMostExpanded + 1));
    if (parent.expanded > kMostExpanded) {
      throw Fault{at, fmt::format("aliases make more than {} values of this file", kMostExpanded),
                  "write out what is meant"};
    }
    parent.height = std::max(parent.height, static_cast<std::uint8_t>(child.height + 1));
    check_depth(levels_.size() + child.height, at);
    levels_.back().children.push_back(number);
    input_.node_at(at);
  }

  static void check_depth(std::size_t depth, std::size_t at) {
    if (depth > kMostLevels) throw Fault{at, fmt::format("more than {} levels deep", kMostLevels), {}};
  }

  void open(Value::Impl::Kind kind, std::size_t at, YAML::anchor_t anchor) {
    // yaml-cpp recurses; stopping here is what keeps its stack small.
    check_depth(levels_.size() + 1, at);
    levels_.push_back({add(kind, at, anchor), anchor, {}});
  }

  void close() {
    const Level level = std::move(levels_.back());
    levels_.pop_back();
    Value::Impl& node = tree_.nodes[level.node];
    node.first_child = static_cast<std::uint32_t>(tree_.children.size());
    node.child_count = static_cast<std::uint32_t>(level.children.size());
    node.end_node = static_cast<std::uint32_t>(tree_.nodes.size());
    tree_.children.insert(tree_.children.end(), level.children.begin(), level.children.end());
    name(level.anchor, level.node);
    attach(level.node, node.offset);
  }

  Tree& tree_;
  BoundedInput& input_;
  bool started_ = false;
  std::vector<Level> levels_;
  std::vector<std::uint32_t> anchors_;  ///< node numbers by yaml-cpp's anchor numbers
};

/// The text of the node that is entry `index` of Tree::children; empty if it is no scalar.
std::string_view text_of(const Tree& tree, std::size_t index) {
  const Value::Impl& node = tree.nodes[tree.children[index]];
  return std::string_view(tree.texts).substr(node.text_begin, node.text_size);
}

/// Hides values in the source lines. Each byte is looked at once, however often an alias names it.
class Concealer {
 public:
  explicit Concealer(Tree& tree) : tree_(tree), done_(tree.nodes.size()) {}

  void conceal(std::uint32_t number) {
    if (done_[number]) return;
    const std::string& text = tree_.source.text();
    const Value::Impl& value = tree_.nodes[number];
    std::fill(done_.begin() + number, done_.begin() + value.end_node, true);
    std::size_t next = value.end_node;
    while (next < tree_.nodes.size() && tree_.nodes[next].offset <= value.offset) ++next;
    std::size_t end = next < tree_.nodes.size() ? tree_.nodes[next].offset : text.size();
    while (end > value.offset && (text[end - 1] == ' ' || text[end - 1] == '\n' || text[end - 1] == '\r'))
      --end;
    tree_.source.conceal(value.offset, end);
  }

  /// The scalars of a value; of maps without their keys and without the values of the keys in `shown`.
  void conceal_scalars(std::uint32_t number, const std::vector<std::string_view>& shown) {
    const Value::Impl& value = tree_.nodes[number];
    if (value.kind == Value::Impl::Kind::scalar) conceal(number);
    if (value.child_count == 0 || done_[number]) return;
    done_[number] = true;
    const bool map = value.kind == Value::Impl::Kind::map;
    for (std::size_t i = map ? 1 : 0; i < value.child_count; i += map ? 2 : 1) {
      const std::uint32_t child = tree_.children[value.first_child + i];
      const bool stays = map && std::find(shown.begin(), shown.end(),
                                          text_of(tree_, value.first_child + i - 1)) != shown.end();
      if (!stays) conceal_scalars(child, shown);
    }
  }

 private:
  Tree& tree_;
  std::vector<bool> done_;
};

void conceal_secrets(Tree& tree) {
  Concealer concealer(tree);
  for (const Value::Impl& map : tree.nodes) {
    if (map.kind != Value::Impl::Kind::map) continue;
    for (std::size_t i = 0; i + 1 < map.child_count; i += 2) {
      // An alias can make a key of any text, so only its beginning is looked at.
      if (looks_secret(text_of(tree, map.first_child + i).substr(0, 256)))
        concealer.conceal(tree.children[map.first_child + i + 1]);
    }
  }
}

/// Whether a line holds an address with a text as its value, which can be a password; a map or list is none.
bool names_account(std::string_view line) {
  for (std::size_t at = line.find('@'); (at = line.find(':', at)) != std::string_view::npos; ++at) {
    const std::size_t value = line.find_first_not_of(" \t", at + 1);
    if (value != std::string_view::npos && line[value] != '{' && line[value] != '[') return true;
  }
  return false;
}

/// Where the text is no YAML there is no tree that says which words are secrets: go by the look of the line
/// and of the two before it.
void conceal_suspicious(Source& source, std::size_t at) {
  constexpr std::size_t kFar = 1000;  // a longer line is not shown at all
  const std::string_view text = source.text();
  const std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  std::size_t begin = line;
  for (int i = 0; i < 2; ++i) begin = begin < 2 ? 0 : text.rfind('\n', begin - 2) + 1;
  begin = std::max(begin, at - std::min(at, kFar));
  const std::size_t end = std::min(text.find('\n', at), at + kFar);
  if (looks_secret(text.substr(begin, end - begin)) || names_account(text.substr(line, end - line)))
    source.conceal(line, line);
}

}  // namespace

Result<Document> Document::parse(std::string text, std::string name) {
  TRY(std::string checked, checked_text(std::move(text), name));
  const auto tree = std::make_shared<Tree>(Source(std::move(checked), std::move(name)));
  BoundedInput input(tree->source.text());
  const auto error_at = [&](std::size_t offset, std::string message, std::string hint) {
    const std::size_t at = std::min(offset, tree->source.text().size());
    conceal_suspicious(tree->source, at);
    return fail(
        Error{ErrorKind::usage, std::move(message), tree->source.place(at, 1), std::move(hint), {}, {}});
  };
  try {
    std::istream stream(&input);
    YAML::Parser parser(stream);
    Builder builder(*tree, input);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stopped&) {
    return fail(std::move(check_interrupt()).error());
  } catch (const Fault& fault) {
    return error_at(fault.offset, fault.message, fault.hint);
  } catch (const std::exception& exception) {
    const std::size_t read = tree->nodes.empty() ? 0 : tree->nodes.back().offset;
    if (input.exhausted()) {
      return error_at(read, fmt::format("what begins here is longer than {} KiB", kMostWithoutNode >> 10),
                      "a single text, and a list or map in one line, must be shorter");
    }
    const auto* syntax = dynamic_cast<const YAML::Exception*>(&exception);
    const std::size_t at = syntax != nullptr ? static_cast<std::size_t>(std::max(syntax->mark.pos, 0)) : read;
    Fault fault = explain(syntax != nullptr ? syntax->msg : exception.what(), at, tree->source.text(), read);
    return error_at(fault.offset, std::move(fault.message), std::move(fault.hint));
  }
  if (tree->nodes.empty()) tree->nodes.emplace_back().tree = tree.get();
  conceal_secrets(*tree);
  return Document(tree);
}

Value Document::root() const {
  return Value(std::shared_ptr<const Value::Impl>(tree_, &tree_->nodes.front()));
}

void Document::conceal_below(const std::string& section, const std::vector<std::string_view>& shown) {
  Concealer concealer(*tree_);
  const Value::Impl& root = tree_->nodes.front();
  if (root.kind != Value::Impl::Kind::map) return;
  for (std::size_t i = 0; i + 1 < root.child_count; i += 2) {
    if (nearest(text_of(*tree_, root.first_child + i), {section}))
      concealer.conceal_scalars(tree_->children[root.first_child + i + 1], shown);
  }
}

Result<std::string> read_text(const std::filesystem::path& path) {
  auto text = read_file(path, kMostBytes);
  // A file that is not there or too large is a mistake of the command line or of whoever wrote the file.
  if (!text) text.error().kind = ErrorKind::usage;
  return text;
}

Result<Document> Document::load(const std::filesystem::path& path) {
  TRY(std::string text, read_text(path));
  return parse(std::move(text), path.string());
}

}  // namespace mailstead::yaml
