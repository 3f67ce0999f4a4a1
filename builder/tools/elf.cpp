// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/elf.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>

namespace mailstead::tools {

Result<ElfProgram> read_elf_program(std::string_view data) {
  Elf64_Ehdr header;
  if (data.starts_with("#!"))
    return fail(ErrorKind::tool, "it is a script, which would need an interpreter of the host");
  if (data.size() < sizeof header || std::memcmp(data.data(), ELFMAG, SELFMAG) != 0)
    return fail(ErrorKind::tool, "it is not an ELF program");
  std::memcpy(&header, data.data(), sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    return fail(ErrorKind::tool, "it is not a 64-bit little-endian program");

  ElfProgram program;
  switch (header.e_machine) {
    case EM_X86_64:
      program = {"usr/lib64/ld-linux-x86-64.so.2", "x86_64-linux-gnu"};
      break;
    case EM_AARCH64:
      program = {"usr/lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu"};
      break;
    default:
      return fail(ErrorKind::tool,
                  fmt::format("it is for another kind of machine (ELF machine {})", header.e_machine));
  }

  bool has_interpreter = false;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (header.e_phoff > data.size() || data.size() - header.e_phoff < (i + 1) * sizeof segment)
      return fail(ErrorKind::tool, "its program headers are truncated");
    std::memcpy(&segment, data.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    has_interpreter = has_interpreter || segment.p_type == PT_INTERP;
  }
  if (!has_interpreter) program.loader.clear();
  return program;
}

}  // namespace mailstead::tools
