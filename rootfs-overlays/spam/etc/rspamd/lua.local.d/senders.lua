-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who logged in may write only as himself: every address in From and Sender must be one of his. Postfix has looked at the
-- envelope already. Resending a message of someone else's under his From (Resent-From) is refused with it, as readers see From.

local logger = require "rspamd_logger"
local ucl = require "ucl"

local file = rspamd_paths["CONFDIR"] .. "/senders.conf"
local owners = {}
local delimiter = ""

local parser = ucl.parser()
local parsed, problem = parser:parse_file(file)
if parsed then
  local content = parser:get_object()
  delimiter = content.recipient_delimiter or ""
  for address, logins in pairs(content.senders or {}) do
    owners[address] = {}
    for _, login in ipairs(logins) do
      owners[address][login] = true
    end
  end
else
  -- Nobody owns anything then: all is refused rather than let through.
  logger.errx(rspamd_config, "cannot read %s: %s", file, problem)
end

-- The entry of an address, or of what is before its detail (user+detail@domain), as Postfix looks it up.
local function owners_of(address)
  local found = owners[address]
  if found or delimiter == "" then
    return found
  end
  local at = address:find("@[^@]*$")
  local cut = at and address:find(delimiter, 2, true)
  if not cut or cut >= at then
    return nil
  end
  return owners[address:sub(1, cut - 1) .. address:sub(at)]
end

local function owns(user, address)
  local found = owners_of(address:lower())
  return found ~= nil and found[user] == true
end

-- The addresses of a header that is there once, or nil and what is wrong with it.
local function addresses_of(task, name, pool)
  local headers = task:get_header_full(name) or {}
  if #headers > 1 then
    return nil, "there is more than one " .. name .. " line"
  end
  if #headers == 0 then
    return {}
  end
  local util = require "rspamd_util"
  local list = util.parse_mail_address(headers[1].value or "", pool) or {}
  if #list == 0 then
    return nil, "there is no address in " .. name
  end
  return list
end

-- The domain of a reply that Dovecot has written for one of our users: it comes from this machine, with the empty envelope
-- sender, and has not passed any mail server. What is redirected has passed ours, by SMTP and LMTP, and keeps two Received
-- lines at least; a reply has none but that which Rspamd itself makes of the connection.
local function domain_of_own_reply(task)
  local ip = task:get_from_ip()
  local from = task:get_from("smtp")
  local empty = not from or not from[1] or (from[1].addr or "") == ""
  if not ip or not ip:is_valid() or not ip:is_local() or not empty or #(task:get_header_full("Received") or {}) > 1 then
    return nil
  end
  local list = addresses_of(task, "From", task:get_mempool())
  if not list or #list ~= 1 or not list[1].addr or not owners_of(list[1].addr:lower()) then
    return nil
  end
  return list[1].addr:lower():match("@([^@]+)$")
end

local function check(task)
  local user = task:get_user()
  if not user then
    local domain = domain_of_own_reply(task)
    if domain then
      task:get_mempool():set_variable("own_from_domain", domain)
    end
    return
  end
  user = user:lower()
  local function refuse(text)
    task:set_pre_result({action = "reject", message = "Sender rejected: " .. text, module = "SENDER_NOT_OWN"})
    return true, 1.0, user
  end
  local pool = task:get_mempool()
  local domain
  for _, name in ipairs({"From", "Sender"}) do
    local list, wrong = addresses_of(task, name, pool)
    if not list then
      return refuse(wrong)
    end
    for _, one in ipairs(list) do
      if not one.addr or not owns(user, one.addr) then
        return refuse("an address in " .. name .. " is not yours")
      end
    end
    if name == "From" then
      if #list == 0 then
        return refuse("there is no From line")
      end
      domain = list[1].addr:lower():match("@([^@]+)$")
    end
  end
  -- What dkim_signing.conf signs for.
  pool:set_variable("own_from_domain", domain)
end

rspamd_config:register_symbol({
  name = "SENDER_NOT_OWN",
  type = "prefilter",
  -- Before all others: what is refused need not be looked at.
  priority = 10,
  flags = "empty,nostat",
  score = 0.0,
  description = "Who logged in writes as someone else",
  callback = check,
})
