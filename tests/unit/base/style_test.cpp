// SPDX-License-Identifier: GPL-3.0-or-later
// Rules of builder/README.md that a compiler does not know: what is written to an image depends on nothing
// but the input, and a foreign library is used in the folder that it belongs to.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "support/catch.hpp"

namespace mailstead {
namespace {

namespace fs = std::filesystem;

const fs::path kBuilder = fs::path(MAILSTEAD_SOURCE_DIR) / "builder";

std::vector<fs::path> sources_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".cpp" || entry.path().extension() == ".hpp")
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The text without comments and without what stands in quotes, which may speak of anything. Include lines
/// keep their names, newlines stay where they are.
std::string code_of(std::string_view text) {
  static const std::regex hidden(R"re(//[^\n]*|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|R"\(|"(?:[^"\\\n]|\\.)*")re");
  std::string code;
  std::cregex_iterator match(text.data(), text.data() + text.size(), hidden);
  std::size_t at = 0;
  for (; match != std::cregex_iterator(); ++match) {
    const auto begin = static_cast<std::size_t>(match->position());
    if (begin < at) continue;
    code += text.substr(at, begin - at);
    const auto length = static_cast<std::size_t>(match->length());
    const std::string_view taken = text.substr(begin, length);
    // The source of randomness is named by a text.
    if (taken.find("/dev/urandom") != std::string_view::npos && taken.front() == '"') code += taken;
    code.append(static_cast<std::size_t>(std::count(taken.begin(), taken.end(), '\n')), '\n');
    at = begin + length;
  }
  code += text.substr(at);
  return code;
}

/// What would make the bytes of an image depend on when, where or how often they are written.
const std::string& forbidden_in_writers() {
  static const std::array words{
      // clocks
      R"(\bsystem_clock\b)", R"(\bfile_clock\b)", R"(\butc_clock\b)", R"((^|[^.>\w])time\s*\()",
      R"(\bgettimeofday\b)", R"(\bclock_gettime\b)", R"(\btimespec_get\b)", R"(\blocaltime(_r)?\s*\()",
      R"(\bmktime\s*\()",
      // random
      R"(\brandom_device\b)", R"(\bmt19937)", R"(\bdefault_random_engine\b)", R"(\bstd::random)",
      R"(#\s*include\s*<random>)", R"(\bs?rand(om)?(_r)?\s*\()", R"(\b[dlm]rand48\b)", R"(\barc4random)",
      R"(\bgetrandom\b)", R"(\bgetentropy\b)", R"(/dev/u?random)", R"(\bRAND_\w*bytes\b)",
      // order that differs from run to run
      R"(\bunordered_(multi)?(map|set)\b)", R"(\bstd::hash\b)", R"(\bstd::(map|set)<[^<>,]*\*)",
      // the locale of the process
      R"(\bstd::locale\b)", R"(\bsetlocale\b)", R"(\buselocale\b)", R"(\bstr(to[dfl]|told|coll|ftime)\s*\()",
      R"(\bstd::sto(i|l|ll|ul|ull|f|d|ld)\s*\()", R"(\bato[ifl]l?\s*\()",
      R"(\b(std::|::)?(to(lower|upper)|is(alpha|alnum|digit|space|upper|lower|punct|print|graph|cntrl))\s*\()",
      R"(\bv?s?n?printf\s*\()", R"(:L\})"};
  static const std::string all = [] {
    std::string joined;
    for (const char* word : words) joined += (joined.empty() ? "" : "|") + std::string(word);
    return joined;
  }();
  return all;
}

/// Keys that are addresses in memory are in no order that can be told, which matters only to who goes through
/// them; a comment in the same line or the one before it says that nobody does.
bool looked_up_only(std::string_view text, int line, const std::string& match) {
  if (!match.ends_with('*')) return false;
  std::size_t begin = 0;
  for (int i = 1; i + 1 < line; ++i) begin = text.find('\n', begin) + 1;
  std::size_t end = text.find('\n', begin);
  if (line > 1 && end != std::string_view::npos) end = text.find('\n', end + 1);
  return text.substr(begin, end - begin).find("// looked up only") != std::string_view::npos;
}

std::vector<std::string> violations(std::string_view text) {
  static const std::regex forbidden(forbidden_in_writers());
  const std::string code = code_of(text);
  std::vector<std::string> found;
  int line = 1;
  for (std::size_t begin = 0; begin < code.size(); ++line) {
    const std::size_t end = std::min(code.find('\n', begin), code.size());
    std::smatch match;
    if (const std::string one = code.substr(begin, end - begin);
        std::regex_search(one, match, forbidden) && !looked_up_only(text, line, match.str())) {
      found.push_back(std::to_string(line) + ": " + match.str());
    }
    begin = end + 1;
  }
  return found;
}

/// The names in angle brackets that a source file includes.
std::vector<std::string> includes_of(const std::string& text) {
  static const std::regex include(R"re((?:^|\n)\s*#\s*include\s*<([^>]+)>)re");
  std::vector<std::string> names;
  for (std::sregex_iterator match(text.begin(), text.end(), include); match != std::sregex_iterator();
       ++match) {
    names.push_back((*match)[1]);
  }
  return names;
}

TEST_CASE("What writes images knows no clock, no random, no unordered container and no locale") {
  for (const char* folder :
       {"image", "boot", "rootfs", "overlay", "delivery", "render", "text", "tools", "pipeline"}) {
    const auto files = sources_of(kBuilder / folder);
    REQUIRE(!files.empty());
    for (const fs::path& file : files) {
      const auto text = read_file(file);
      REQUIRE(text);
      for (const std::string& violation : violations(*text)) {
        INFO(file.string() << ":" << violation);
        CHECK(false);
      }
    }
  }
}

TEST_CASE("What reads disks shares no code with what writes them") {
  const std::regex ours(R"re((?:^|\n)\s*#\s*include\s*"([^/"]+)/)re");
  const std::set<std::string> allowed{"base", "crypto", "disk", "rootfs", "tools"};
  const auto files = sources_of(kBuilder / "disk");
  REQUIRE(!files.empty());
  for (const fs::path& file : files) {
    const auto text = read_file(file);
    REQUIRE(text);
    for (std::sregex_iterator match(text->begin(), text->end(), ours); match != std::sregex_iterator();
         ++match) {
      INFO(file.string() << " includes a header of " << (*match)[1]);
      CHECK(allowed.contains((*match)[1]));
    }
  }
}

TEST_CASE("What reads a spec uses no hash that its author could know") {
  const std::regex hashed(R"(\bunordered_(multi)?(map|set)\b|\bstd::hash\b)");
  for (const char* folder : {"yaml", "spec"}) {
    for (const fs::path& file : sources_of(kBuilder / folder)) {
      const auto text = read_file(file);
      REQUIRE(text);
      INFO(file.string());
      CHECK(!std::regex_search(code_of(*text), hashed));
    }
  }
}

TEST_CASE("Clocks, random, unordered containers and locales are recognized") {
  for (const char* line : {"auto now = std::chrono::system_clock::now();",
                           "x = ::time(nullptr);",
                           "x = time(nullptr);",
                           "x = std::time(nullptr);",
                           "gettimeofday(&t, nullptr);",
                           "clock_gettime(CLOCK_REALTIME, &t);",
                           "std::random_device seed;",
                           "std::mt19937_64 engine;",
                           "int x = rand();",
                           "srand(1);",
                           "x = ::random();",
                           "#include <random>",
                           "RAND_bytes(b, 4);",
                           "open(\"/dev/urandom\", 0);",
                           "std::unordered_map<int, int> m;",
                           "std::unordered_set<int> s;",
                           "std::set<const Inode*> s;",
                           "std::locale::global(l);",
                           "setlocale(LC_ALL, \"\");",
                           "x = std::stod(text);",
                           "x = strtod(text, nullptr);",
                           "c = std::tolower(c);",
                           "if (isalpha(c)) return;",
                           "strftime(b, 9, \"%c\", t);",
                           "snprintf(b, 9, \"%f\", x);"}) {
    INFO(line);
    CHECK(violations(std::string("int a;\n") + line + "\n").size() == 1);
  }
  for (const char* line :
       {"// time( and rand( in a comment", "/* std::random_device\n rand() */", "x = lock.archive_time();",
        "put(\"etc/localtime\", link);", "say(\"the time (in seconds)\");", "std::map<std::string, int*> m;",
        "inode.time(archive);", "std::map<const Inode*, int> m;  // looked up only",
        "// looked up only\nstd::map<const Inode*, int> m;"}) {
    INFO(line);
    CHECK(violations(line).empty());
  }
  CHECK(violations("// looked up only\na\nstd::set<Inode*> s;\n").size() == 1);
  CHECK(violations("a\nb\nx = rand();\n") == std::vector<std::string>{"3: rand("});
}

TEST_CASE("Names of architectures, of their consoles and of legacy BIOS are in the platform's files only") {
  // Texts only: names of ours may say what they are about.
  const std::regex hidden(R"re(//[^\n]*|"(?:[^"\\\n]|\\.)*")re");
  const std::regex name(
      R"re(amd64|arm64|aarch64|x86[-_]64|i386|[^a-z](x|aa)64|ttyS[0-9]|ttyAMA|\bBIOS\b|\bbios\b)re",
      std::regex::icase);
  for (const fs::path& file : sources_of(kBuilder)) {
    const std::string folder = file.lexically_relative(kBuilder).begin()->string();
    if (folder == "platform" || folder == "boot") continue;
    const auto text = read_file(file);
    REQUIRE(text);
    for (std::sregex_iterator match(text->begin(), text->end(), hidden); match != std::sregex_iterator();
         ++match) {
      const std::string found = match->str();
      if (found.front() != '"' || found.find(".hpp") != std::string::npos) continue;
      INFO(file.string() << ": " << found);
      CHECK(!std::regex_search(found, name));
    }
  }
}

TEST_CASE("Each foreign library is included in the folders that it belongs to") {
  // One folder each; more only where a library is several things.
  const std::map<std::string, std::set<std::string>> owners{
      {"yaml-cpp/", {"yaml"}},
      {"archive.h", {"rootfs"}},
      {"archive_entry.h", {"rootfs"}},
      {"guestfs.h", {"verify"}},
      {"curl/", {"fetch"}},
      {"re2/", {"cli", "mailtest"}},  // expressions over text of any length
      {"idn2.h", {"spec"}},
      {"cdb.h", {"render"}},
      {"crypt.h", {"keys"}},
      {"CLI/", {"cli"}},
      {"openssl/", {"crypto", "keys", "mailtest"}},  // digests; key files; TLS
      {"nlohmann/",
       {"cli", "dns", "image", "inspect", "lock", "mailtest", "pipeline",
        "reference"}},  // a header that reads and writes a format
  };
  // Ours to use anywhere: the language's missing pieces. The others are headers of the C library and the
  // kernel.
  const std::regex common(
      R"re((fmt|tl|sys|linux|netinet|arpa|net)/.*|[a-z_0-9]+|(aio|dirent|elf|endian|fcntl|fnmatch|ftw|glob|grp|mntent|netdb|poll|pwd|sched|signal|spawn|stdlib|string|strings|syslog|termios|time|unistd)\.h)re");
  std::set<std::string> used;
  for (const fs::path& file : sources_of(kBuilder)) {
    const auto text = read_file(file);
    REQUIRE(text);
    const std::string folder = file.lexically_relative(kBuilder).begin()->string();
    for (const std::string& name : includes_of(*text)) {
      INFO(file.string() << " includes " << name);
      const auto owner = std::find_if(owners.begin(), owners.end(),
                                      [&](const auto& entry) { return name.starts_with(entry.first); });
      if (owner == owners.end()) {
        CHECK(std::regex_match(name, common));  // a new library: say above where it belongs
      } else {
        CHECK(owner->second.contains(folder));
        used.insert(owner->first);
      }
    }
  }
  CHECK(used.size() == owners.size());
  CHECK(includes_of("#include <a.h>\n// #include <b.h>\n# include <c/d.hpp>\n") ==
        std::vector<std::string>{"a.h", "c/d.hpp"});
}

}  // namespace
}  // namespace mailstead
