// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mailtest/lines.hpp"
#include "mailtest/variable_use.hpp"
#include "mailtest/verbs.hpp"

namespace mailstead::mailtest {

/// What follows the keyword of a line, taken from left to right by Verb::read. Where the line does not have
/// what is asked for, `fit` is false from then on, and an empty value comes back. Notes on the way which
/// variables the arguments use and set.
class Arguments {
 public:
  /// `line`: all that follows the keyword. `following`: the lines after it, of which a here-document and a
  /// continued `include` take some.
  Arguments(std::string_view line, Lines& following) : line_(line), following_(following) {}

  // Words that belong to the form.

  /// Takes the word if it is the next.
  bool has(std::string_view word);
  /// The next word must be this.
  Arguments& after(std::string_view word);
  /// The next word must be one of these, each of which stands for a value.
  template <typename Value>
  Value choice(std::initializer_list<std::pair<std::string_view, Value>> values) {
    const std::string word = plain_word();
    for (const auto& [name, value] : values)
      if (name == word) return value;
    fits_ = false;
    return values.begin()->second;
  }

  // Values in which variables may stand.

  Text word();
  std::vector<Text> words();  ///< all that are left, or none
  Text port();                ///< 1 to 65535, or a word with a variable
  std::vector<Text> ports();  ///< all that are left, or none
  Text program();             ///< a word without '/'
  Text rest();                ///< all that is left, at least a word
  Text regex();               ///< the same, a regular expression
  Text line();                ///< all that is left, with the blanks in front, except the first one
  Text regex_line();          ///< the same, a regular expression
  Text quoted_bytes();        ///< "…", all that is left, without its escapes

  // Values as they are.

  std::string plain_word();
  std::vector<std::string> plain_words();                       ///< all that are left, at least one
  std::vector<std::string> words_before(std::string_view end);  ///< at least one, all variables to be set
  std::string file();                                           ///< a word without '/'
  std::string plain_quoted_bytes();
  verb::Time time();
  std::uint64_t size();
  std::uint64_t place();
  std::string variable();  ///< the name of one that has a value
  /// The name of a variable that the step sets, with those that begin with it and end with one of `parts`.
  std::string new_variable(std::initializer_list<const char*> parts = {});

  // What may take further lines.

  bool at_text() const;  ///< the next word begins with "<<"
  /// "<<END", and the lines up to one that is END.
  Text text();
  /// FILE.part NAME=VALUE…, continued in the next line after a backslash at the end.
  verb::Include include();

  bool at_end() const;
  /// The line had what was asked for.
  bool fit() const { return fits_; }
  void refuse() { fits_ = false; }
  /// What is wrong with values, although the line fits.
  const std::vector<std::string>& mistakes() const { return mistakes_; }
  const VariableUse& variables() const { return variables_; }

 private:
  std::string_view next_word() const;
  std::string take_rest();
  Text noted(std::string written);
  Text checked_regex(Text expression);
  void complain(std::string message);

  std::string line_;
  std::size_t at_ = 0;
  Lines& following_;
  bool fits_ = true;
  std::vector<std::string> mistakes_;
  VariableUse variables_;
};

}  // namespace mailstead::mailtest
