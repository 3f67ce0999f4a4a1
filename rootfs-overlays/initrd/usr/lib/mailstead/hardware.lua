-- SPDX-License-Identifier: GPL-3.0-or-later
-- The PCI devices of this machine, and whether the kernel has a driver for them.
local disks = require "disks"
local hardware = {}

local kStorage <const> = "01"
local kNetwork <const> = "02"

--- All disk controllers and network cards: slot, id ("8086:100e"), storage (boolean), driver (or nil if none has taken it).
function hardware.devices(folder)
  local found = {}
  for line in (disks.read_file(folder .. "/proc/bus/pci/devices") or ""):gmatch("[^\n]+") do
    local bus, place, vendor, device = line:match("^(%x%x)(%x%x)\t(%x%x%x%x)(%x%x%x%x)\t")
    if bus then
      place = tonumber(place, 16)
      local slot = string.format("0000:%s:%02x.%d", bus, place >> 3, place & 7)
      local home = folder .. "/sys/bus/pci/devices/" .. slot
      local class = (disks.read_file(home .. "/class") or ""):match("^0x(%x%x)")
      if class == kStorage or class == kNetwork then
        found[#found + 1] = {
          slot = slot, id = vendor .. ":" .. device, storage = class == kStorage, driver = line:match("\t([%a][%w_-]*)%s*$"),
          alias = (disks.read_file(home .. "/modalias") or ""):match("%S+"),
        }
      end
    end
  end
  return found
end

--- Those of `aliases` (modalias strings) for which the text of a modules.alias names a module: a set. Its patterns have * and [].
function hardware.driven(aliases, modules_alias)
  local driven = {}
  for pattern in modules_alias:gmatch("alias (pci:%S+) ") do
    local expression = "^" .. pattern:gsub("[%-%.%%%+]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
    for _, alias in ipairs(aliases) do
      if alias:find(expression) then driven[alias] = true end
    end
  end
  return driven
end

return hardware
