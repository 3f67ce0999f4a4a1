-- SPDX-License-Identifier: GPL-3.0-or-later
-- The last words of a start that has failed: disks that are not there for want of a driver, and the reason that another script has given.
-- lua5.4 why.lua [FOLDER]; FOLDER holds proc, sys, dev and run ("" for those of the machine)
package.path = arg[0]:match("^(.*)/") .. "/?.lua"
local disks = require "disks"
local hardware = require "hardware"
local folder = arg[1] or ""

local reason = disks.read_file(folder .. "/run/mailstead/reason")
if reason then
  io.write((reason:gsub("[^\n]+", "<3>%0")))
elseif #disks.holding(disks.list(folder), disks.slot_ids(folder)) == 0 then
  print("<3>No disk has the partitions that this system was started from.")
  local undriven = false
  for _, device in ipairs(hardware.devices(folder)) do
    if device.storage and not device.driver then
      undriven = true
      print(string.format("<3>No driver for the disk controller %s (PCI %s).", device.id, device.slot))
    end
  end
  if undriven then
    print("<3>Attach the disk by virtio, NVMe, SATA (AHCI), IDE, Hyper-V, Xen or VMware PVSCSI,")
    print("<3>or build the image with profile: server-amd64.")
  end
end
print("<3>The start has failed. Next try in a minute.")
