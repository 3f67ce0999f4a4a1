-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who logged in may write only as himself: every address in From and Sender must be one of his. Postfix has looked at the
-- envelope already. Resending a message of someone else's under his From (Resent-From) is refused with it, as readers see From.

local addresses = require "addresses"
local util = require "rspamd_util"

local domain_of, owns, reject = addresses.domain_of, addresses.owns, addresses.reject

-- The addresses of a header that is there once, or nil and what is wrong with it.
local function addresses_of(task, name, pool)
  local headers = task:get_header_full(name) or {}
  if #headers > 1 then
    return nil, "there is more than one " .. name .. " line"
  end
  if #headers == 0 then
    return {}
  end
  local list = util.parse_mail_address(headers[1].value or "", pool) or {}
  if #list == 0 then
    return nil, "there is no address in " .. name
  end
  return list
end

-- Where the first header line of that name begins, or nil.
local function place_of(headers, name)
  return ("\n" .. headers:lower()):find("\n" .. name .. ":", 1, true)
end

-- Whether a user's script has redirected this. Dovecot then says so above all that the message had; in a reply, the text of a
-- script can bring header lines of its own (vacation :mime), but only below MIME-Version.
local function is_redirected(task)
  if task:get_user() or not addresses.is_own_machine(task) then
    return false
  end
  local headers = task:get_content():sub(1, 65536):str()
  headers = headers:sub(1, headers:find("\n\r?\n") or #headers)
  local redirected = place_of(headers, "x-sieve-redirected-from")
  local mime = place_of(headers, "mime-version")
  return redirected ~= nil and (mime == nil or redirected < mime)
end

-- Before anything is parsed. A redirected message is a stranger's: it was judged when it came in, is not signed, and is no reason to
-- let its parts near the keys. Of what users write, the headers are wanted, not what is in the parts.
local function parse_little(task)
  task:set_flag(is_redirected(task) and "skip" or "skip_process")
end

-- A vacation reply that Dovecot has written for one of our users: it comes from this machine and was not redirected.
-- A script may put anything into From, so the reply says by its envelope whose it is (sieve_vacation_send_from_recipient); then
-- the envelope becomes the empty one of automatic replies (RFC 3834 section 3.3).
local function check_own_reply(task)
  local sender = addresses.envelope_sender(task)
  if sender == "" then
    return
  end
  local list = addresses_of(task, "From", task:get_mempool())
  if list and #list == 1 and list[1].addr then
    for user in pairs(addresses.look_up(addresses.owners, sender) or {}) do
      if owns(user, list[1].addr) then
        task:get_mempool():set_variable("own_from_domain", domain_of(list[1].addr))
        task:set_milter_reply({change_from = "<>"})
        return
      end
    end
  end
  reject(task, "Sender rejected: a reply is from someone else than its user")
  return true, 1.0, sender
end

local function check_sender(task)
  local user = task:get_user()
  if not user then
    if addresses.is_own_machine(task) then
      return check_own_reply(task)
    end
    -- Postfix asks for a login before anything else.
    reject(task, "Sender rejected: log in first")
    return true, 1.0
  end
  user = user:lower()
  local function refuse(text)
    reject(task, "Sender rejected: " .. text)
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
      domain = domain_of(list[1].addr)
    end
  end
  -- What dkim_signing.conf signs for.
  pool:set_variable("own_from_domain", domain)
end

rspamd_config:register_symbol({
  name = "USERS_MAIL",
  type = "connfilter",
  flags = "empty,nostat",
  score = 0.0,
  description = "How much of a message is parsed",
  callback = parse_little,
})

rspamd_config:register_symbol({
  name = "SENDER_NOT_OWN",
  type = "prefilter",
  -- Before all others: what is refused need not be looked at.
  priority = 10,
  flags = "empty,nostat",
  score = 0.0,
  description = "Who logged in, or whose reply it is, writes as someone else",
  callback = check_sender,
})
