// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/elf.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/files.hpp"
#include "crypto/digest.hpp"
#include "platform/architecture.hpp"

namespace mailstead::tools {
namespace {

Result<Elf64_Ehdr> read_header(std::string_view data) {
  Elf64_Ehdr header;
  if (data.starts_with("#!"))
    return fail(ErrorKind::tool, "it is a script, which would need an interpreter of the host");
  if (data.size() < sizeof header || std::memcmp(data.data(), ELFMAG, SELFMAG) != 0)
    return fail(ErrorKind::tool, "it is not an ELF program");
  std::memcpy(&header, data.data(), sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    return fail(ErrorKind::tool, "it is not a 64-bit little-endian program");
  return header;
}

Result<std::vector<Elf64_Phdr>> read_segments(const Elf64_Ehdr& header, std::string_view data) {
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  const std::size_t size = segments.size() * sizeof(Elf64_Phdr);
  if (header.e_phoff > data.size() || data.size() - header.e_phoff < size)
    return fail(ErrorKind::tool, "its program headers are truncated");
  if (size > 0) std::memcpy(segments.data(), data.data() + header.e_phoff, size);
  return segments;
}

}  // namespace

Result<ElfProgram> read_elf_program(std::string_view data) {
  TRY(const Elf64_Ehdr header, read_header(data));
  ElfProgram program;
  const auto architecture = platform::architecture_of_elf(header.e_machine);
  if (!architecture)
    return fail(ErrorKind::tool,
                fmt::format("it is for another kind of machine (ELF machine {})", header.e_machine));
  const platform::ArchitectureFacts& facts = platform::facts_of(*architecture);
  program = {facts.loader, facts.triplet};

  TRY(const auto segments, read_segments(header, data));
  const auto is_interpreter = [](const Elf64_Phdr& segment) { return segment.p_type == PT_INTERP; };
  if (std::none_of(segments.begin(), segments.end(), is_interpreter)) program.loader.clear();
  return program;
}

Result<std::string> loaded_sha256_hex(const std::filesystem::path& program) {
  const auto io_error = [&] {
    return fail(ErrorKind::io, fmt::format("cannot read {}: {}", program.string(), std::strerror(errno)));
  };
  const FileDescriptor file(::open(program.c_str(), O_RDONLY | O_CLOEXEC));
  std::string block(1u << 16, '\0');
  const ssize_t start = file ? ::pread(file.get(), block.data(), block.size(), 0) : -1;
  if (start < 0) return io_error();
  const auto headers = std::string_view(block).substr(0, static_cast<std::size_t>(start));
  TRY(const Elf64_Ehdr header, read_header(headers));
  TRY(const auto segments, read_segments(header, headers));
  crypto::Sha256 hash;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_LOAD) continue;
    hash.update(
        fmt::format("{} {} {} {}\n", segment.p_vaddr, segment.p_memsz, segment.p_filesz, segment.p_flags));
    for (std::uint64_t done = 0; done < segment.p_filesz;) {
      const auto wanted = std::min<std::uint64_t>(block.size(), segment.p_filesz - done);
      const ssize_t got =
          ::pread(file.get(), block.data(), wanted, static_cast<off_t>(segment.p_offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return io_error();
      if (got == 0) return fail(ErrorKind::tool, fmt::format("{} is truncated", program.string()));
      hash.update({block.data(), static_cast<std::size_t>(got)});
      done += static_cast<std::uint64_t>(got);
    }
  }
  return crypto::to_hex(hash.finish());
}

}  // namespace mailstead::tools
