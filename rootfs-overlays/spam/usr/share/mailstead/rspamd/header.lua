-- SPDX-License-Identifier: GPL-3.0-or-later
-- The fields of a message's header, read from its bytes rather than from Rspamd's table, which is forgiving: what is read here in
-- one way only is read in the same way by Postfix and Dovecot.

local M = {}

-- As much as Exchange takes; honest mail has far less. Dovecot leaves out what is beyond 10 MiB.
local largest = 256 * 1024

-- The fields that RFC 5322 section 3.6 allows once. Programs differ in which of two they show.
M.once = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Date", "Subject", "Message-ID"}

-- A header block as a table from the name in lower case to a list of bodies, in which a fold is a line feed before white space;
-- or nil and what is wrong. The milter protocol ends lines within a field by LF and fields by CRLF.
function M.fields(block)
  if #block > largest then
    return nil, "the header is larger than 256 KiB"
  end
  block = block:gsub("\r\n", "\n")
  if block:find("\r", 1, true) then
    return nil, "the header has a CR without LF"
  end
  local fields = {}
  local lines
  for line in block:gmatch("[^\n]+") do
    if line:find("^[ \t]") and lines then
      lines[#lines + 1] = line
    else
      local name, rest = line:match("^([!-9;-~]+):(.*)$")
      if not name then
        return nil, "the header has a line that is no field"
      end
      lines = {rest}
      name = name:lower()
      fields[name] = fields[name] or {}
      table.insert(fields[name], lines)
    end
  end
  for _, bodies in pairs(fields) do
    for i, of_body in ipairs(bodies) do
      bodies[i] = table.concat(of_body, "\n")
    end
  end
  return fields
end

-- The first of M.once that is there twice, or nil.
function M.repeated(fields)
  for _, name in ipairs(M.once) do
    local bodies = fields[name:lower()]
    if bodies and #bodies > 1 then
      return name
    end
  end
  return nil
end

return M
