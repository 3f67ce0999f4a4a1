// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/elf.hpp"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <limits>
#include <vector>

#include "base/files.hpp"
#include "support/catch.hpp"

using namespace mailstead;
using namespace mailstead::tools;

namespace {

Elf64_Ehdr header(unsigned segments) {
  Elf64_Ehdr made{};
  std::memcpy(made.e_ident, ELFMAG, SELFMAG);
  made.e_ident[EI_CLASS] = ELFCLASS64;
  made.e_ident[EI_DATA] = ELFDATA2LSB;
  made.e_ident[EI_VERSION] = EV_CURRENT;
  made.e_type = ET_DYN;
  made.e_machine = EM_X86_64;
  made.e_version = EV_CURRENT;
  made.e_phoff = sizeof made;
  made.e_phentsize = sizeof(Elf64_Phdr);
  made.e_phnum = static_cast<Elf64_Half>(segments);
  return made;
}

std::string program(const Elf64_Ehdr& start, const std::vector<unsigned>& types) {
  std::string bytes(reinterpret_cast<const char*>(&start), sizeof start);
  for (const unsigned type : types) {
    Elf64_Phdr segment{};
    segment.p_type = type;
    bytes.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  }
  return bytes;
}

std::string refusal(const std::string& bytes) {
  const auto result = read_elf_program(bytes);
  if (result) return "accepted";
  CHECK(result.error().kind == ErrorKind::tool);
  return result.error().message;
}

}  // namespace

TEST_CASE("A dynamically linked program is started by its machine's loader") {
  const std::string dynamic = program(header(3), {PT_PHDR, PT_LOAD, PT_INTERP});
  const auto x86 = read_elf_program(dynamic);
  REQUIRE(x86);
  CHECK(x86->loader == "usr/lib64/ld-linux-x86-64.so.2");
  CHECK(x86->triplet == "x86_64-linux-gnu");

  Elf64_Ehdr arm_header = header(1);
  arm_header.e_machine = EM_AARCH64;
  const auto arm = read_elf_program(program(arm_header, {PT_INTERP}));
  REQUIRE(arm);
  CHECK(arm->loader == "usr/lib/ld-linux-aarch64.so.1");
  CHECK(arm->triplet == "aarch64-linux-gnu");
}

TEST_CASE("A program without an interpreter is statically linked and starts by itself") {
  for (const std::vector<unsigned>& types : {std::vector<unsigned>{PT_LOAD, PT_NOTE}, {}}) {
    const auto result = read_elf_program(program(header(static_cast<unsigned>(types.size())), types));
    REQUIRE(result);
    CHECK(result->loader.empty());
    CHECK(result->triplet == "x86_64-linux-gnu");
  }
}

TEST_CASE("A script and what is no program are told apart") {
  CHECK(refusal("#!/bin/sh\nexit 0\n") == "it is a script, which would need an interpreter of the host");
  CHECK(refusal("#!") == "it is a script, which would need an interpreter of the host");
  CHECK(refusal("") == "it is not an ELF program");
  CHECK(refusal(std::string(4096, '\0')) == "it is not an ELF program");
  CHECK(refusal(program(header(0), {}).substr(0, 63)) == "it is not an ELF program");
}

TEST_CASE("Programs of other machines are refused") {
  Elf64_Ehdr narrow = header(0);
  narrow.e_ident[EI_CLASS] = ELFCLASS32;
  CHECK(refusal(program(narrow, {})) == "it is not a 64-bit little-endian program");
  Elf64_Ehdr big = header(0);
  big.e_ident[EI_DATA] = ELFDATA2MSB;
  CHECK(refusal(program(big, {})) == "it is not a 64-bit little-endian program");
  Elf64_Ehdr other = header(0);
  other.e_machine = EM_RISCV;
  CHECK(refusal(program(other, {})) == "it is for another kind of machine (ELF machine 243)");
}

TEST_CASE("Program headers that lie outside of the file are refused, not read") {
  const std::string kRefused = "its program headers are truncated";
  const std::string whole = program(header(2), {PT_LOAD, PT_INTERP});
  for (std::size_t size = sizeof(Elf64_Ehdr); size < whole.size(); ++size) {
    INFO("cut to " << size << " bytes");
    CHECK(refusal(whole.substr(0, size)) == kRefused);
  }
  Elf64_Ehdr many = header(std::numeric_limits<Elf64_Half>::max());
  CHECK(refusal(program(many, {PT_INTERP, PT_INTERP})) == kRefused);
  for (const std::uint64_t offset :
       {std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max() - 55,
        std::uint64_t{1} << 63, std::uint64_t{sizeof(Elf64_Ehdr) + 57}}) {
    Elf64_Ehdr hostile = header(1);
    hostile.e_phoff = offset;
    CHECK(refusal(program(hostile, {PT_INTERP})) == kRefused);
  }
}

TEST_CASE("What is loaded of a program makes its digest, what a debugger reads does not") {
  // Headers, 8 bytes that are loaded, 8 that are not.
  Elf64_Ehdr start = header(2);
  std::string bytes = program(start, {PT_LOAD, PT_NOTE});
  const std::size_t loaded = bytes.size();
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_offset = loaded;
  segment.p_filesz = 8;
  std::memcpy(bytes.data() + sizeof start, &segment, sizeof segment);
  bytes += "program.symbols.";

  const auto folder = TemporaryDirectory::create();
  REQUIRE(folder);
  const auto path = folder->path() / "program";
  const auto digest = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    const auto result = loaded_sha256_hex(path);
    return result ? *result : result.error().message;
  };
  const std::string before = digest(bytes);
  CHECK(before.size() == 64);
  CHECK(digest(bytes.substr(0, loaded + 8)) == before);
  CHECK(digest(bytes + "more") == before);
  std::string changed = bytes;
  changed[loaded + 7] ^= 1;
  CHECK(digest(changed) != before);
  segment.p_flags = PF_X;
  changed = bytes;
  std::memcpy(changed.data() + sizeof start, &segment, sizeof segment);
  CHECK(digest(changed) != before);

  CHECK(digest(bytes.substr(0, loaded + 7)) == path.string() + " is truncated");
  CHECK(digest(bytes.substr(0, sizeof start + 1)) == "its program headers are truncated");
  CHECK(digest("#!/bin/sh\n").starts_with("it is a script"));
  CHECK(loaded_sha256_hex(folder->path() / "none").error().kind == ErrorKind::io);
}
