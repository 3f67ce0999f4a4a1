// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/verity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <system_error>

#include "crypto/digest.hpp"
#include "image/image.hpp"
#include "tools/full_disk.hpp"

namespace mailstead::image {
namespace {

constexpr std::uint64_t kBlock = 4096;

/// The digest in the line "Root hash:      \t<64 digits>" that veritysetup prints.
Result<std::string> read_root_hash(std::string_view printed) {
  constexpr std::string_view kKey = "Root hash:";
  const auto key = printed.find(kKey);
  if (key != std::string_view::npos) {
    const auto start = printed.find_first_not_of(" \t", key + kKey.size());
    const auto end = std::min(printed.find('\n', start), printed.size());
    if (start != std::string_view::npos) {
      const std::string_view hash = printed.substr(start, end - start);
      if (hash.size() == 64 && hash.find_first_not_of("0123456789abcdef") == std::string_view::npos)
        return std::string(hash);
    }
  }
  return fail(ErrorKind::tool, "veritysetup printed no root hash");
}

}  // namespace

VerityIds verity_ids(const std::string& scope, const std::string& name) {
  return {crypto::sha256_hex("dm-verity salt\n" + scope + "\n" + name),
          crypto::derived_uuid(scope, "dm-verity " + name)};
}

Result<VerityImage> append_verity(const std::filesystem::path& file, const std::string& scope,
                                  const tools::Toolbox& toolbox) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  const std::uint64_t offset = (size + kBlock - 1) / kBlock * kBlock;
  if (!error) std::filesystem::resize_file(file, offset, error);
  if (error) return fail(ErrorKind::io, fmt::format("cannot pad {}: {}", file.string(), error.message()));

  const VerityIds ids = verity_ids(scope, file.filename().string());
  TRY(const Command command,
      toolbox.command(
          "veritysetup",
          {"format", "--hash=sha256", "--data-block-size=4096", "--hash-block-size=4096",
           fmt::format("--data-blocks={}", offset / kBlock), fmt::format("--hash-offset={}", offset),
           "--salt=" + ids.salt, "--uuid=" + ids.uuid, file.string(), file.string()}));
  const auto output = run(command);
  if (!output) return fail(tools::explain_full_disk(output.error(), file));
  TRY(std::string root_hash, read_root_hash(output->out));
  return VerityImage{file, offset, std::move(root_hash)};
}

}  // namespace mailstead::image
