-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who logged in may write only as himself: every address in From, Sender and their Resent- forms must be one of his, and so must
-- those that the names beside them show. Postfix has looked at the envelope already. Resending a message of someone else's under
-- his From is refused with it, as readers see From.

local addresses = require "addresses"
local authors = require "authors"
local util = require "rspamd_util"
local words = require "words"

local owns, reject = addresses.owns, addresses.reject

-- Characters that look like @ and dots become these (NFKC): one at a time, as Rspamd cuts a text that grows by this.
local function normalised(text)
  return (text:gsub("[\194-\244][\128-\191]+", function(character)
    return (util.normalize_utf8(character))
  end))
end

-- Our own decoding of names knows no charset; Rspamd's, which knows them all, must not show an address of someone else either.
local function shows_other(task, user)
  for _, name in ipairs({"From", "Sender", "Resent-From", "Resent-Sender"}) do
    for _, field in ipairs(task:get_header_full(name) or {}) do
      for _, address in ipairs(words.addresses(normalised(field.decoded or ""))) do
        if not owns(user, address) then
          return name
        end
      end
    end
  end
  return nil
end

local function wrong_for(task, user, list, fields)
  local wrong = authors.wrong_for_user(list, fields, function(address)
    return owns(user, address)
  end, normalised)
  local name = not wrong and shows_other(task, user)
  return wrong or name and name .. " shows an address that is not yours" or nil
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
local function check_own_reply(task, list, fields)
  local sender = addresses.envelope_sender(task)
  if sender == "" then
    return
  end
  for user in pairs(addresses.owners_of(sender)) do
    if #list == 1 and not wrong_for(task, user, list, fields) then
      task:get_mempool():set_variable("own_from_domain", list[1].domain)
      task:set_milter_reply({change_from = "<>"})
      return
    end
  end
  reject(task, "Sender rejected: a reply is from someone else than its user")
end

local function check_sender(task)
  local list, fields = authors.of(task)
  local user = task:get_user()
  if not list then
    return reject(task, "Sender rejected: " .. fields)
  elseif not user then
    if addresses.is_own_machine(task) then
      return check_own_reply(task, list, fields)
    end
    -- Postfix asks for a login before anything else.
    return reject(task, "Sender rejected: log in first")
  end
  local wrong = wrong_for(task, user:lower(), list, fields)
  if wrong then
    return reject(task, "Sender rejected: " .. wrong)
  end
  -- What dkim_signing.conf signs for.
  task:get_mempool():set_variable("own_from_domain", list[1].domain)
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
  callback = addresses.guarded(check_sender),
})
