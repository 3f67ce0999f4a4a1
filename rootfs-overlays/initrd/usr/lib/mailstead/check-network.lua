-- SPDX-License-Identifier: GPL-3.0-or-later
-- Says which network cards the system will not be able to use. The drivers are in the verified /usr, not in the initrd.
-- lua5.4 check-network.lua [FOLDER]; FOLDER holds proc, sys and sysroot ("" for those of the machine)
package.path = arg[0]:match("^(.*)/") .. "/?.lua"
local disks = require "disks"
local hardware = require "hardware"
local folder = arg[1] or ""

local cards = {}
local aliases = {}
for _, device in ipairs(hardware.devices(folder)) do
  if not device.storage and device.alias then
    cards[#cards + 1] = device
    aliases[#aliases + 1] = device.alias
  end
end
local release = disks.read_file(folder .. "/proc/sys/kernel/osrelease"):match("%S+")
local modules = folder .. "/sysroot/usr/lib/modules/" .. release
local driven = hardware.driven(aliases, disks.read_file(modules .. "/modules.alias") or "")
for _, card in ipairs(cards) do
  if not card.driver and not driven[card.alias] then
    print(string.format("<3>No driver for the network card %s (PCI %s).", card.id, card.slot))
    print("<3>Give the machine a virtio card, or build the image with profile: server-amd64.")
  end
end
