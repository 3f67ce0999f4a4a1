-- SPDX-License-Identifier: GPL-3.0-or-later
-- An SPF record whose evaluation takes more than ten look-ups is in error (RFC 7208 section 4.6.4), as is one of whose mx terms has
-- more than ten names. Rspamd 3.12 reads the whole tree of records at once, also behind the term that matches, and leaves out what
-- is beyond its own limits instead of saying permerror: its max_dns_requests can neither pass a record of twelve look-ups whose
-- third one matches, nor refuse one whose twelfth does.
-- So the look-ups are counted here, after Rspamd's verdict, in the order of evaluation and up to the term that has matched. Whether
-- ip4, ip6 and all match is seen here; of a, mx, ptr and exists the one matches that Rspamd says has, which is known by its text:
-- two records that both have "mx", without a domain, are not told apart. Texts come from our resolver's cache.
--
-- The limit of two void look-ups, which the RFC only recommends, is not held: they are not told apart without asking all again.

local rspamd_ip = require "rspamd_ip"

local kLookUps = 10
local kNames = 10 -- of one mx
local kAsk = {a = true, mx = true, ptr = true, exists = true, include = true}

-- The verdict and the term that gave it, without its qualifier: "ip4:192.0.2.1", with ":c" behind it if from Rspamd's cache.
local function verdict_of(task)
  for _, symbol in ipairs({"R_SPF_ALLOW", "R_SPF_FAIL", "R_SPF_SOFTFAIL", "R_SPF_NEUTRAL"}) do
    local found = task:get_symbol(symbol)
    if found then
      local term = found[1].options and found[1].options[1] or ""
      return symbol, (term:lower():gsub("^[-+~?]", ""):gsub(":c$", ""))
    end
  end
end

-- What SPF was asked for, by the letters of macros (section 7.2) but for d, the domain of the record at hand.
local function asked_for(task)
  local from = task:get_from({"smtp", "orig"})
  from = from and from[1] or {}
  local helo = task:get_helo() or ""
  local ip = task:get_from_ip()
  local user, domain = from.user, from.domain
  if not domain or domain == "" then
    user, domain = "postmaster", helo
  end
  return {
    s = user .. "@" .. domain, l = user, o = domain, h = helo, v = ip:get_version() == 6 and "ip6" or "in-addr",
    i = table.concat(ip:str_octets(), "."),
  }
end

-- A term with the values of its macros: %{d2}, the last two labels of the domain; %{ir}, the address from behind. Rspamd names the term
-- that has matched like this.
local function expanded(term, macros, domain)
  return (term:gsub("%%{(%a)(%d*)(r?)([-.+,/_=]*)}", function(letter, count, reversed, delimiters)
    local value = letter == "d" and domain or macros[letter] or "unknown"
    local labels = {}
    for label in value:gmatch(delimiters == "" and "[^.]+" or "[^" .. delimiters:gsub(".", "%%%0") .. "]+") do
      table.insert(labels, reversed == "r" and 1 or #labels + 1, label)
    end
    return table.concat(labels, ".", math.max(1, #labels + 1 - (tonumber(count) or #labels)))
  end):gsub("%%[%%_-]", {["%%"] = "%", ["%_"] = " ", ["%-"] = "%20"}):lower())
end

-- The terms of the SPF record among a domain's texts.
local function terms_of(texts)
  local terms = {}
  for _, text in ipairs(texts or {}) do
    if (text:lower() .. " "):find("^v=spf1 ") then
      for term in text:lower():sub(#"v=spf1" + 1):gmatch("%S+") do
        table.insert(terms, term)
      end
      break
    end
  end
  return terms
end

-- Whether an address is in a network, 192.0.2.0/24.
local function is_in(ip, network)
  local text, bits = network:match("^([%x:.]+)/?(%d*)$")
  local base = text and rspamd_ip.from_string(text)
  if not base or not base:is_valid() or base:get_version() ~= ip:get_version() then
    return false
  end
  bits = tonumber(bits) or ip:get_version() == 6 and 128 or 32
  -- As text, as == would compare the ports as well.
  return bits == 0 or base:apply_mask(bits):to_string() == ip:apply_mask(bits):to_string()
end

-- Leaves the records that a match decides: all of them, unless an included one says anything but pass. That include does not match,
-- and the terms behind it are next.
local function leave(state, qualified)
  local record, passes
  repeat
    record = table.remove(state.records)
    passes = not qualified:find("^[-~?]")
    qualified = record.included_by
  until record.top or not passes
end

local go_on

-- Asks the resolver and goes on. Callbacks rather than Rspamd's coroutines, with which 3.12.1 crashes at the second look-up.
local function ask(state, kind, domain, use)
  local function callback(_, _, found)
    use(found or {})
    go_on(state)
  end
  local resolver = state.task:get_resolver()
  if not resolver["resolve_" .. kind](resolver, {task = state.task, name = domain, callback = callback, forced = true}) then
    callback() -- a name that is none
  end
end

local function enter(state, domain, top, included_by)
  ask(state, "txt", domain, function(texts)
    table.insert(state.records, {domain = domain, terms = terms_of(texts), at = 1, top = top, included_by = included_by})
  end)
end

-- Counts a look-up. Whether that is one too many.
local function is_too_many(state)
  state.count = state.count + 1
  if state.count > kLookUps then
    state.wrong = "more than " .. kLookUps .. " look-ups"
  end
  return state.wrong ~= nil
end

-- Evaluates a term. Whether an answer is waited for.
local function evaluate(state, record, qualified)
  local term = expanded(qualified:gsub("^[-+~?]", ""), state.macros, record.domain)
  local name, value = term:match("^([a-z0-9]+)[:=]?(.*)$")
  record.redirect = record.redirect or term:match("^redirect=(.+)$")
  if kAsk[name] and is_too_many(state) then
    return false
  elseif name == "include" then
    enter(state, value, false, qualified)
    return true
  elseif name == "mx" then
    ask(state, "mx", value:match("^[^/]+") or record.domain, function(names)
      if #names > kNames then
        state.wrong = "more than " .. kNames .. " names of an mx"
      elseif term == state.matched then
        leave(state, qualified)
      end
    end)
    return true
  end
  local matches = term == "all" or term == state.matched
  if name == "ip4" or name == "ip6" then
    matches = is_in(state.ip, value)
  end
  if matches then
    leave(state, qualified)
  end
  return false
end

-- Evaluates up to the next answer that must be waited for, or to the end. The records are those that include each other.
go_on = function(state)
  while #state.records > 0 and not state.wrong do
    local record = state.records[#state.records]
    local term = record.terms[record.at]
    record.at = record.at + 1
    if term then
      if evaluate(state, record, term) then
        return
      end
    else
      table.remove(state.records)
      if record.redirect and not is_too_many(state) then
        return enter(state, record.redirect, record.top, record.included_by)
      end
    end
  end
  if state.wrong then
    state.task:remove_result(state.symbol)
    state.task:insert_result("R_SPF_PERMFAIL", 1.0, state.wrong)
  end
end

local function count_look_ups(task)
  local symbol, matched = verdict_of(task)
  local ip = task:get_from_ip()
  if symbol and ip and ip:is_valid() then
    local macros = asked_for(task)
    enter({task = task, symbol = symbol, matched = matched, ip = ip, macros = macros, count = 0, records = {}}, macros.o, true)
  end
end

rspamd_config:register_symbol({
  name = "SPF_LOOKUPS",
  type = "callback",
  flags = "empty,nostat",
  score = 0.0,
  description = "Look-ups of the sender's SPF record are counted",
  callback = count_look_ups,
})
rspamd_config:register_dependency("SPF_LOOKUPS", "SPF_CHECK")
rspamd_config:register_dependency("DMARC_CHECK", "SPF_LOOKUPS")
