-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who a message says it is from, and whether a user may say so.

local header = require "header"
local mailboxes = require "mailboxes"
local words = require "words"

local M = {}

-- The mailboxes in From and all fields of a header block; or nil and what is wrong with it, and what to do.
function M.read(block)
  local fields, wrong = header.fields(block)
  if not fields then
    return nil, wrong
  end
  local name = header.repeated(fields)
  if name then
    return nil, "there is more than one " .. name .. " line"
  end
  if not fields.from then
    return nil, "there is no From line"
  end
  local list
  list, wrong = mailboxes.read(fields.from[1])
  if not list then
    return nil, "From cannot be read with certainty: " .. wrong
  end
  return list, fields
end

-- As `read`, of a message in Rspamd, whose own reading of From must be the same: DMARC is judged by it.
function M.of(task)
  local list, fields = M.read(tostring(task:get_raw_headers()))
  local theirs = task:get_from({"mime", "orig"}) or {}
  for i, one in ipairs(list or {}) do
    if #theirs ~= #list or theirs[i].addr ~= one.address then
      return nil, "From cannot be read with certainty: programs read it in different ways; write it as Name <user@example.org>"
    end
  end
  return list, fields
end

-- What is wrong with the mailboxes of a field, of which each address and each that a name shows must be the writer's own, or nil.
local function wrong_for(name, list, is_own, normalised)
  for _, one in ipairs(list) do
    if not is_own(one.address) then
      return "an address in " .. name .. " is not yours"
    end
    for _, shown in ipairs(one.names) do
      for _, address in ipairs(words.addresses(normalised(shown))) do
        if not is_own(address) then
          return "a name in " .. name .. " shows an address that is not yours"
        end
      end
    end
  end
  return nil
end

-- What is wrong with a message of a user, who writes only as himself; or nil. `list` and `fields` are what `read` returned,
-- `is_own` tells whether an address is his, `normalised` puts text into one form, in which characters that look like @ and dots are these.
function M.wrong_for_user(list, fields, is_own, normalised)
  local wrong = wrong_for("From", list, is_own, normalised)
  if wrong then
    return wrong
  end
  for _, name in ipairs({"Sender", "Resent-From", "Resent-Sender"}) do
    for _, body in ipairs(fields[name:lower()] or {}) do
      local own
      own, wrong = mailboxes.read(body)
      wrong = own and wrong_for(name, own, is_own, normalised) or wrong
      if wrong then
        return own and wrong or name .. " cannot be read with certainty: " .. wrong
      end
    end
  end
  return nil
end

return M
