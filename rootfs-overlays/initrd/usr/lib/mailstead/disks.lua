-- SPDX-License-Identifier: GPL-3.0-or-later
-- The disks of this machine and their GUID partition tables (UEFI specification 5.3), read from the devices themselves: of two
-- disks with the same ids, udev shows only one.
local disks = {}

disks.kVarType = "4d21b016-b534-45c2-a9fb-5c16e091fd2d"
disks.kReservedType = "8da63339-0007-60c0-c436-083ac8230908"
-- The space between the image and the data: with the first name nothing has been made behind it yet, and all of that may be formatted.
disks.kBlankName = "mailstead-blank"
disks.kReservedName = "mailstead-reserved"
disks.kDataName = "mailstead-data"

local kEntryBytes = 128
-- The kernel takes tables of up to 4 MiB (KMALLOC_MAX_SIZE), whatever tools make: a copy of this disk may have a larger one than ours.
local kMostEntries = 32768

--- The whole file as text, or nil. Files in /proc and /sys have no size.
function disks.read_file(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

--- CRC-32 with this reflected polynomial, without the final inversion if `raw`.
function disks.crc32(bytes, polynomial, raw)
  local sums = {}
  for byte = 0, 255 do
    local sum = byte
    for _ = 1, 8 do sum = sum & 1 == 1 and sum >> 1 ~ polynomial or sum >> 1 end
    sums[byte] = sum
  end
  local sum = 0xffffffff
  for i = 1, #bytes do sum = sums[(sum ~ bytes:byte(i)) & 0xff] ~ sum >> 8 end
  return raw and sum or sum ~ 0xffffffff
end

--- A GUID as in a partition table: the first three fields are little-endian.
local function guid(bytes)
  local a, b, c = string.unpack("<I4I2I2", bytes)
  return string.format("%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", a, b, c, bytes:byte(9, 16))
end

--- `count` bytes at `offset`, fewer at the end of the file; nil and the reason if they cannot be read.
function disks.read_at(file, offset, count)
  -- Beyond the end of a device there is no place to go to.
  if offset < 0 or not file:seek("set", offset) then return "" end
  local bytes, reason = file:read(count)
  if reason then return nil, reason end
  return bytes or ""
end

local function read_entries(bytes, sector)
  local partitions = {}
  for at = 1, #bytes - kEntryBytes + 1, kEntryBytes do
    local first, last = string.unpack("<I8I8", bytes, at + 32)
    local kind = guid(bytes:sub(at, at + 15))
    if kind ~= "00000000-0000-0000-0000-000000000000" then
      -- Names are UTF-16; ours are ASCII, and those of others are only shown.
      local name = bytes:sub(at + 56, at + 127):gsub("(.)(.)", function(low, high)
        if low == "\0" and high == "\0" then return "" end
        return high == "\0" and low:find("[%w %p]") and low or "?"
      end)
      partitions[#partitions + 1] = {
        number = (at - 1) // kEntryBytes + 1, type = kind, id = guid(bytes:sub(at + 16, at + 31)),
        name = name, start = first * sector, stop = (last + 1) * sector,
      }
    end
  end
  return partitions
end

--- The table whose header is at `offset`, or nil if there is none in order. `other` is where its second copy is.
local function read_copy(file, offset, sector)
  local header = disks.read_at(file, offset, 512)
  if not header or #header < 512 or header:sub(1, 8) ~= "EFI PART" then return nil end
  local size, sum, _, own, other = string.unpack("<I4I4I4I8I8", header, 13)
  local entries_at, count, entry_bytes, entries_sum = string.unpack("<I8I4I4I4", header, 73)
  if size < 92 or size > 512 or own * sector ~= offset then return nil end
  if entry_bytes ~= kEntryBytes or count > kMostEntries then return nil end
  local summed = header:sub(1, 16) .. "\0\0\0\0" .. header:sub(21, size)
  if disks.crc32(summed, 0xedb88320) ~= sum then return nil end
  local entries = disks.read_at(file, entries_at * sector, count * kEntryBytes)
  if not entries or disks.crc32(entries, 0xedb88320) ~= entries_sum then return nil end
  local entry_sectors = math.max(16384, #entries) // sector
  return {
    partitions = read_entries(entries, sector), other = other * sector, sector = sector,
    -- Of the second copy: its entries, and behind them its header.
    copy_bytes = (entry_sectors + 1) * sector,
  }
end

--- The partition table of an open disk: the first copy, or the second one if a power cut has left the first half-written.
function disks.read_table(file, size)
  for _, sector in ipairs { 512, 4096 } do
    local found = read_copy(file, sector, sector) or read_copy(file, size - sector, sector)
    if found then return found end
  end
  return nil
end

--- The table that was on the disk before another was written over its beginning, or nil.
function disks.read_old_table(file, size)
  for _, sector in ipairs { 512, 4096 } do
    local found = read_copy(file, size - sector, sector)
    if found then return found end
  end
  return nil
end

--- All disks with a partition table: name, path, size in bytes, table. `folder` is "" but in tests.
function disks.list(folder)
  local found = {}
  for name in (disks.read_file(folder .. "/proc/partitions") or ""):gmatch("%d+ +%d+ +%d+ +(%S+)") do
    local sectors = disks.read_file(folder .. "/sys/block/" .. name:gsub("/", "!") .. "/size")
    local file = sectors and not name:find("^dm%-") and io.open(folder .. "/dev/" .. name, "rb")
    if file then
      -- What the kernel counts is sectors of 512 bytes, whatever the disk's are.
      local size = tonumber(sectors) * 512
      local table_found = disks.read_table(file, size)
      file:close()
      if table_found then
        local path = "/dev/" .. name
        found[#found + 1] = { name = name, path = path, size = size, table = table_found, file = folder .. path }
      end
    end
  end
  return found
end

--- The partition of a table with this id, or nil.
function disks.partition(partition_table, id)
  for _, partition in ipairs(partition_table.partitions) do
    if partition.id == id then return partition end
  end
  return nil
end

--- "5.4 GiB"
function disks.human(bytes)
  if bytes < 1 << 30 then return string.format("%.1f MiB", bytes / (1 << 20)) end
  return string.format("%.1f GiB", bytes / (1 << 30))
end

--- The disks that have a partition with one of these ids.
function disks.holding(all, ids)
  local holding = {}
  for _, disk in ipairs(all) do
    for _, id in ipairs(ids) do
      if disks.partition(disk.table, id) then
        holding[#holding + 1] = disk
        break
      end
    end
  end
  return holding
end

--- The ids of the partitions that the kernel's command line names: those of the slot that was started.
function disks.slot_ids(folder)
  local ids = {}
  for id in (disks.read_file(folder .. "/proc/cmdline") or ""):gmatch("_data=PARTUUID=(%S+)") do
    ids[#ids + 1] = id:lower()
  end
  return ids
end

--- Says on all consoles why the machine cannot start, keeps it for the last line on the screen, and ends. The kernel's
--- consoles are at most 80 characters wide where there is no serial port: a line a sentence.
function disks.refuse(folder, lines)
  local file = io.open(folder .. "/run/mailstead/reason", "w")
  for _, line in ipairs(lines) do
    print("<3>" .. line)
    if file then file:write(line, "\n") end
  end
  if file then file:close() end
  os.exit(1)
end

--- Stops the start if several disks have one of these ids.
function disks.refuse_twins(folder, all, ids)
  local twins = disks.holding(all, ids)
  if #twins < 2 then return end
  local lines = { #twins .. " disks have the partition ids of this site; nothing is written to any of them:" }
  for _, disk in ipairs(twins) do lines[#lines + 1] = string.format("  %s, %s", disk.path, disks.human(disk.size)) end
  lines[#lines + 1] = "Which of them the firmware has started cannot be told."
  lines[#lines + 1] = "Detach the copy (a snapshot, a clone, an old disk), or give it other ids from a"
  lines[#lines + 1] = "rescue system: sgdisk --randomize-guids DISK"
  disks.refuse(folder, lines)
end

return disks
