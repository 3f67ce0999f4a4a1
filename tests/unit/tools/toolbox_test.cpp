// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/toolbox.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <thread>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "support/catch.hpp"
#include "support/deb_builder.hpp"
#include "support/program.hpp"
#include "tools/complete.hpp"

namespace fs = std::filesystem;
using namespace mailstead;
using namespace mailstead::tools;
using test::directory;
using test::file;
using test::symbolic_link;

namespace {

struct Fixture {
  TemporaryDirectory folder = TemporaryDirectory::create().value();
  fs::path cache = folder.path() / "cache";
  std::unique_ptr<Reporter> reporter = make_quiet_reporter();
  std::vector<Toolbox::Package> packages;
  std::vector<rootfs::UnpackedDeb> debs;
  rootfs::Spool spool = rootfs::Spool::create(folder.path()).value();

  Fixture() { fs::create_directory(cache); }

  void add(const std::string& name, std::vector<test::TarEntry> entries) {
    test::Deb deb;
    deb.name = name;
    deb.entries = std::move(entries);
    const std::string bytes = test::make_deb(deb);
    packages.push_back({name, crypto::sha256_hex(bytes)});
    auto deb_unpacked = rootfs::unpack_deb(test::write_bytes(folder.path(), name + ".deb", bytes), spool);
    REQUIRE(deb_unpacked);
    debs.push_back(*std::move(deb_unpacked));
  }
  Result<Toolbox> make() {
    std::vector<const rootfs::UnpackedDeb*> pointers;
    for (const auto& deb : debs) pointers.push_back(&deb);
    return Toolbox::make(cache, packages, pointers, 1'700'000'000, *reporter);
  }
  Toolbox open() {
    if (auto found = Toolbox::find(cache, packages, 1'700'000'000)) return *std::move(found);
    auto toolbox = make();
    INFO((toolbox ? "" : format_error(toolbox.error())));
    REQUIRE(toolbox);
    return *toolbox;
  }
  /// What is in the cache's folder of tools, apart from the lock.
  std::vector<std::string> tool_folders() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(cache / "tools")) {
      if (entry.path().filename() != ".lock") names.push_back(entry.path().filename().string());
    }
    return names;
  }
};

std::string bytes_of(const fs::path& path) {
  return read_file(path).value();
}

/// A small static program for x86-64 (System V ABI, ELF-64): prints "static\n" and exits with status 0.
std::string static_program() {
  std::string code(
      "\xb8\x01\x00\x00\x00"          // mov eax, 1 (write)
      "\xbf\x01\x00\x00\x00"          // mov edi, 1
      "\x48\x8d\x35\x10\x00\x00\x00"  // lea rsi, [rip + 16]
      "\xba\x07\x00\x00\x00"          // mov edx, 7
      "\x0f\x05"                      // syscall
      "\xb8\x3c\x00\x00\x00"          // mov eax, 60 (exit)
      "\x31\xff"                      // xor edi, edi
      "\x0f\x05"                      // syscall
      "static\n",
      40);
  const auto number = [](std::uint64_t value, int size) {
    std::string bytes;
    for (int i = 0; i < size; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
    return bytes;
  };
  constexpr std::uint64_t kBase = 0x400000;
  const std::uint64_t size = 64 + 56 + code.size();
  return std::string("\x7f\x45\x4c\x46\x02\x01\x01", 7) + std::string(9, '\0') + number(2, 2) +
         number(62, 2) + number(1, 4) + number(kBase + 120, 8) + number(64, 8) + number(0, 8) + number(0, 4) +
         number(64, 2) + number(56, 2) + number(1, 2) + number(0, 6) +  // end of the ELF header
         number(1, 4) + number(5, 4) + number(0, 8) + number(kBase, 8) + number(kBase, 8) + number(size, 8) +
         number(size, 8) + number(4096, 8) + code;
}

/// Packages with this host's env(1), and the loader and C library that it needs.
void add_host_program(Fixture& fixture) {
  fixture.add("libc6",
              {file("./usr/lib64/ld-linux-x86-64.so.2", bytes_of("/lib64/ld-linux-x86-64.so.2"), 0755),
               file("./usr/lib/x86_64-linux-gnu/libc.so.6", bytes_of("/lib/x86_64-linux-gnu/libc.so.6"))});
  fixture.add("coreutils", {file("./usr/bin/env", bytes_of("/usr/bin/env"), 0755)});
}

}  // namespace

TEST_CASE("A dynamic program runs through the toolbox's own loader and libraries, in a known environment") {
  Fixture fixture;
  add_host_program(fixture);
  const Toolbox toolbox = fixture.open();
  const auto command = toolbox.command("env", {"-u", "GCONV_PATH"});
  REQUIRE(command);
  const std::string root = toolbox.root().string();
  const std::string libraries = root + "/usr/lib/x86_64-linux-gnu";
  CHECK(command->argv == std::vector<std::string>{root + "/usr/lib64/ld-linux-x86-64.so.2", "--inhibit-cache",
                                                  "--library-path", libraries + ":" + libraries + "/systemd",
                                                  "--argv0", "env", root + "/usr/bin/env", "-u",
                                                  "GCONV_PATH"});
  const auto output = run(*command);
  INFO((output ? "" : format_error(output.error())));
  REQUIRE(output);
  CHECK(output->out.find("SOURCE_DATE_EPOCH=1700000000\n") != std::string::npos);
  CHECK(output->out.find("LC_ALL=C\n") != std::string::npos);
  CHECK(output->out.find("GCONV_PATH") == std::string::npos);
  // Nothing of the build host's configuration: mtools reads more than MTOOLSRC.
  for (const char* variable :
       {"HOME=/nonexistent\n", "MTOOLSRC=/dev/null\n", "MTOOLS_NAME_NUMERIC_TAIL=1\n", "MTOOLS_NO_VFAT=0\n"})
    CHECK(output->out.find(variable) != std::string::npos);
}

TEST_CASE("A tool whose library would come from this machine is refused") {
  Fixture fixture;
  add_host_program(fixture);
  // This test itself needs more libraries than the C library of the packages.
  fixture.add("zstd", {file("./usr/bin/zstd", bytes_of("/proc/self/exe"), 0755)});
  const auto toolbox = fixture.make();
  REQUIRE_FALSE(toolbox);
  CHECK(toolbox.error().kind == ErrorKind::tool);
  const std::string& message = toolbox.error().message;
  INFO(message);
  CHECK(message.starts_with("the tool zstd needs lib"));
  CHECK(message.ends_with(", which no locked tool package has"));
  CHECK(fixture.tool_folders().empty());
  // Without it the packages are fine.
  fixture.packages.pop_back();
  fixture.debs.pop_back();
  CHECK(fixture.make());
}

TEST_CASE("All programs that are started are among those whose libraries are checked") {
  const fs::path builder = fs::path(MAILSTEAD_SOURCE_DIR) / "builder";
  const std::string toolbox = bytes_of(builder / "tools/toolbox.cpp");
  static const std::regex started(R"re((?:\bcommand|\brun|\brun_tool)\((?:generator,)?\s*"([^"]+)")re");
  std::set<std::string> programs;
  for (const char* folder : {"boot", "image", "pipeline", "tools"}) {
    for (const auto& entry : fs::directory_iterator(builder / folder)) {
      const std::string text = bytes_of(entry.path());
      for (std::sregex_iterator it(text.begin(), text.end(), started), end; it != end; ++it)
        programs.insert((*it)[1]);
    }
  }
  CHECK(programs.size() >= 14);
  for (const std::string& program : programs) {
    INFO(program);
    CHECK(toolbox.find('"' + program + '"') != std::string::npos);
  }
}

TEST_CASE("A static program runs by itself") {
  Fixture fixture;
  fixture.add("tool", {file("./usr/sbin/tool", static_program(), 0755)});
  const auto command = fixture.open().command("tool", {});
  REQUIRE(command);
  CHECK(command->argv.size() == 1);
  const auto output = run(*command);
  INFO((output ? "" : format_error(output.error())));
  REQUIRE(output);
  CHECK(output->out == "static\n");
}

TEST_CASE("Programs are found through links, which never leave the toolbox") {
  Fixture fixture;
  fixture.add("tool", {file("./usr/bin/tool-1.0", static_program(), 0755),
                       symbolic_link("./usr/bin/relative", "tool-1.0"),
                       symbolic_link("./etc/alternatives/tool", "/usr/bin/tool-1.0"),
                       symbolic_link("./usr/bin/absolute", "/etc/alternatives/tool"),
                       symbolic_link("./usr/bin/up", "../../usr/bin/tool-1.0"),
                       symbolic_link("./usr/bin/loop", "loop"), symbolic_link("./usr/bin/outside", "/bin/sh"),
                       file("./bin/merged", static_program(), 0755), directory("./usr/bin/folder")});
  const Toolbox toolbox = fixture.open();
  const fs::path real = toolbox.root() / "usr/bin/tool-1.0";
  for (const char* name : {"tool-1.0", "relative", "absolute", "up"}) {
    INFO(name);
    const auto command = toolbox.command(name, {});
    REQUIRE(command);
    CHECK(command->argv.back() == real.string());
  }
  REQUIRE(toolbox.command("merged", {}));
  CHECK(toolbox.command("merged", {})->argv.back() == (toolbox.root() / "usr/bin/merged").string());
  for (const char* name : {"loop", "outside", "folder", "missing", "", ".", "..", "../bin/relative", "sh"}) {
    INFO(name);
    const auto command = toolbox.command(name, {});
    REQUIRE_FALSE(command);
    CHECK(command.error().kind == ErrorKind::tool);
    CHECK(command.error().message == "no locked tool package has the program '" + std::string(name) + "'");
    CHECK(command.error().hint == "add the package that has it to 'tools' in the profile and lock again");
  }
}

TEST_CASE("A script is refused: its interpreter would be the host's") {
  Fixture fixture;
  fixture.add("tool", {file("./usr/bin/script", "#!/bin/sh\nexit 0\n", 0755)});
  const Toolbox toolbox = fixture.open();
  const auto command = toolbox.command("script", {});
  REQUIRE_FALSE(command);
  CHECK(command.error().message == "it is a script, which would need an interpreter of the host");
  CHECK(command.error().notes.back() ==
        "while looking at the tool " + (toolbox.root() / "usr/bin/script").string());
}

TEST_CASE("What no tool reads stays out, and files are only as open as a tool needs them") {
  Fixture fixture;
  fixture.add("tool",
              {file("./usr/bin/tool", static_program(), 04711), file("./etc/tool.conf", "x\n", 0600),
               file("./usr/share/doc/tool/README", "text"), file("./usr/share/man/man1/tool.1", "text"),
               file("./usr/share/locale/de/tool.mo", "text")});
  const fs::path root = fixture.open().root();
  CHECK_FALSE(fs::exists(root / "usr/share/doc/tool/README"));
  CHECK_FALSE(fs::exists(root / "usr/share/man/man1/tool.1"));
  CHECK_FALSE(fs::exists(root / "usr/share/locale/de/tool.mo"));
  CHECK(fs::status(root / "usr/bin/tool").permissions() == fs::perms(0755));
  CHECK(fs::status(root / "etc/tool.conf").permissions() == fs::perms(0644));
}

TEST_CASE("The folder's name depends on the packages, not on their order") {
  Fixture fixture;
  fixture.add("one", {file("./usr/share/one", "1")});
  fixture.add("two", {file("./usr/share/two", "2")});
  const fs::path first = fixture.open().root();
  std::swap(fixture.packages[0], fixture.packages[1]);
  std::swap(fixture.debs[0], fixture.debs[1]);
  CHECK(fixture.open().root() == first);
  fixture.packages.pop_back();
  fixture.debs.pop_back();
  CHECK(fixture.open().root() != first);
  CHECK(fixture.tool_folders().size() == 2);
}

TEST_CASE("A complete toolbox is opened without the packages") {
  Fixture fixture;
  fixture.add("tool", {file("./usr/bin/tool", static_program(), 0755)});
  const fs::path root = fixture.open().root();
  const auto found = Toolbox::find(fixture.cache, fixture.packages, 0);
  REQUIRE(found);
  CHECK(found->root() == root);
  fixture.packages[0].sha256[0] ^= 1;
  CHECK_FALSE(Toolbox::find(fixture.cache, fixture.packages, 0));
}

TEST_CASE("A toolbox that is not as it was unpacked is unpacked again") {
  Fixture fixture;
  fixture.add("tool", {file("./usr/bin/tool", static_program(), 0755), file("./usr/share/data", "12345"),
                       symbolic_link("./usr/bin/link", "tool")});
  const fs::path root = fixture.open().root();
  REQUIRE(is_complete(root));
  SECTION("a file without its bytes, as a power cut leaves it") {
    fs::resize_file(root / "usr/bin/tool", 0);
  }
  SECTION("a flipped bit, as a bad disk leaves it") {
    std::fstream(root / "usr/share/data").write("02345", 5);
  }
  SECTION("a link to another file") {
    fs::remove(root / "usr/bin/link");
    fs::create_symlink("took", root / "usr/bin/link");
  }
  SECTION("a program that cannot be started") {
    fs::permissions(root / "usr/bin/tool", fs::perms(0644));
  }
  SECTION("a missing file") {
    fs::remove(root / "usr/share/data");
  }
  SECTION("a missing link") {
    fs::remove(root / "usr/bin/link");
  }
  SECTION("a file too many") {
    std::ofstream(root / "usr/share/more").close();
  }
  SECTION("no mark") {
    fs::remove(root / kMarkName);
  }
  SECTION("an empty mark") {
    fs::resize_file(root / kMarkName, 0);
  }
  SECTION("an empty folder") {
    fs::remove_all(root);
    fs::create_directory(root);
  }
  SECTION("a file instead of the folder") {
    fs::remove_all(root);
    std::ofstream(root).close();
  }
  SECTION("a link that leads elsewhere") {
    fs::remove_all(root);
    fs::create_directory_symlink(fixture.folder.path(), root);
  }
  CHECK_FALSE(is_complete(root));
  const Toolbox again = fixture.open();
  CHECK(again.root() == root);
  CHECK(is_complete(root));
  CHECK(bytes_of(root / "usr/bin/tool") == static_program());
  CHECK(bytes_of(root / "usr/share/data") == "12345");
  CHECK(fs::read_symlink(root / "usr/bin/link") == "tool");
  CHECK(fixture.tool_folders() == std::vector<std::string>{root.filename().string()});
}

TEST_CASE("What a killed process left half-unpacked is not used, and removed") {
  Fixture fixture;
  fixture.add("tool", {file("./usr/bin/tool", static_program(), 0755)});
  const fs::path leftover = fixture.cache / "tools" / "mailstead.abcdef";
  fs::create_directories(leftover / "root/usr/bin");
  std::ofstream(leftover / "root/usr/bin/tool") << "half";
  const Toolbox toolbox = fixture.open();
  CHECK(bytes_of(toolbox.root() / "usr/bin/tool") == static_program());
  CHECK(fixture.tool_folders() == std::vector<std::string>{toolbox.root().filename().string()});
}

TEST_CASE("Packages that do not go together are named, and leave nothing behind") {
  Fixture fixture;
  fixture.add("one", {file("./usr/bin/tool", static_program(), 0755)});
  fixture.add("two", {file("./usr/bin/tool/inside", "x")});
  const auto toolbox = fixture.make();
  REQUIRE_FALSE(toolbox);
  CHECK(toolbox.error().notes.back() == "while laying the tool package two");
  CHECK(fixture.tool_folders().empty());
}

TEST_CASE("Threads that open one toolbox at the same time get one complete folder") {
  Fixture fixture;
  std::vector<test::TarEntry> entries;
  for (int i = 0; i < 200; ++i) entries.push_back(file("./usr/share/tool/" + std::to_string(i), "x"));
  fixture.add("tool", std::move(entries));
  constexpr std::size_t kThreads = 4;
  std::vector<fs::path> roots(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const auto toolbox = fixture.make();
      if (toolbox && is_complete(toolbox->root())) roots[i] = toolbox->root();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(roots[0].empty());
  CHECK(std::count(roots.begin(), roots.end(), roots[0]) == kThreads);
  CHECK(fixture.tool_folders().size() == 1);
}

TEST_CASE("Processes that open one toolbox at the same time get one complete folder") {
  Fixture fixture;
  std::vector<test::TarEntry> entries;
  for (int i = 0; i < 200; ++i) entries.push_back(file("./usr/share/tool/" + std::to_string(i), "x"));
  fixture.add("tool", std::move(entries));
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      const auto toolbox = fixture.make();
      ::_exit(toolbox && is_complete(toolbox->root()) ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = -1;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
  }
  CHECK(fixture.tool_folders().size() == 1);
}
