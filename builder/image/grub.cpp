// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/grub.hpp"

#include <fmt/format.h>

#include <utility>

#include "image/boot_state.hpp"
#include "image/partitions.hpp"
#include "image/records.hpp"

namespace mailstead::image {

std::string grub_config() {
  // Nothing is loaded with insmod: under Secure Boot GRUB has only what is built into the signed image. The
  // serial port is for legacy BIOS: UEFI firmware sends its console there itself.
  return fmt::format(R"(# Chooses the slot. Written by Mailstead; the same on every appliance.
set esp=$root
regexp --set=1:disk '^([^,]*)' "$esp"
if [ "$grub_platform" = pc ]; then
  if serial --unit=0 --speed=115200; then
    terminal_input console serial
    terminal_output console serial
  fi
fi
set slot=a
set try=-
set left=0
if [ -s ($esp)/grub/grubenv ]; then
  load_env --skip-sig --file ($esp)/grub/grubenv slot try left
fi
set first="$slot"
# A slot on trial has {0} tries. One that cannot be counted is not begun: it would be without end.
set on_trial=yes
if [ "$try" != a -a "$try" != b ]; then set on_trial=no
elif [ "$left" = 3 ]; then set left=2
elif [ "$left" = 2 ]; then set left=1
elif [ "$left" = 1 ]; then set left=0
else set on_trial=no
fi
if [ "$on_trial" = yes ]; then
  if save_env --file ($esp)/grub/grubenv left; then
    set first="$try"
  fi
fi
if [ "$first" = b ]; then
  set default=1
  set fallback=0
else
  set default=0
  set fallback=1
fi
set timeout_style=hidden
set timeout=0
# Whoever sits at the console chooses a slot and no more: a line edited there would be a shell with all rights. This user has no
# password, so nobody is let in.
set superusers=nobody
export superusers
menuentry 'Mailstead, slot A' --id a --unrestricted {{
  set root="$disk,gpt{1}"
  source ($root)/slot-a.cfg
}}
menuentry 'Mailstead, slot B' --id b --unrestricted {{
  set root="$disk,gpt{2}"
  source ($root)/slot-b.cfg
}}
)",
                     kMostTries, static_cast<int>(kBootNumberA), static_cast<int>(kBootNumberB));
}

std::string kernel_command_line(const std::string& hostname, std::size_t slot, const VerityImage& usr,
                                const VerityImage& root, const std::vector<std::string>& arguments) {
  // Partitions are named by ids, not by labels: a second disk with the same layout must not be taken for this
  // one.
  const std::string usr_device = "PARTUUID=" + partition_uuid(hostname, kUsrLabels[slot]);
  const std::string root_device = "PARTUUID=" + partition_uuid(hostname, kRootLabels[slot]);
  std::string line = fmt::format(
      "root=/dev/mapper/root rootfstype=squashfs ro roothash={} systemd.verity_root_data={} "
      "systemd.verity_root_hash={} "
      "systemd.verity_root_options=hash-offset={} "
      "mount.usr=/dev/mapper/usr mount.usrfstype=squashfs mount.usrflags=ro usrhash={} "
      "systemd.verity_usr_data={} "
      "systemd.verity_usr_hash={} systemd.verity_usr_options=hash-offset={}",
      root.root_hash, root_device, root_device, root.hash_offset, usr.root_hash, usr_device, usr_device,
      usr.hash_offset);
  for (const std::string& argument : arguments) line += " " + argument;
  return line;
}

std::string slot_config_file(std::size_t slot) {
  return slot == 0 ? "slot-a.cfg" : "slot-b.cfg";
}

std::vector<SlotConfig> slot_configs(const std::string& hostname, const VerityImage& usr,
                                     const VerityImage& root, const std::vector<std::string>& arguments) {
  std::vector<SlotConfig> configs;
  for (const std::size_t slot : {0u, 1u})
    configs.push_back({slot_config_file(slot),
                       fmt::format("linux ($root)/{} {}\ninitrd ($root)/{}\n", kKernelFile,
                                   kernel_command_line(hostname, slot, usr, root, arguments), kInitrdFile)});
  return configs;
}

std::vector<FatFile> boot_files(rootfs::Content kernel, rootfs::Content initrd) {
  return {{kKernelFile, std::move(kernel)}, {kInitrdFile, std::move(initrd)}};
}

}  // namespace mailstead::image
