-- SPDX-License-Identifier: GPL-3.0-or-later
-- An SPF record whose evaluation takes more than ten look-ups is in error (RFC 7208 section 4.6.4). Rspamd 3.12 reads the whole tree
-- of records at once, also behind the term that matches, and leaves out what is beyond its own limit instead of saying permerror: its
-- max_dns_requests can neither pass a record of twelve look-ups whose third one matches, nor refuse one whose twelfth does.
-- So the look-ups are counted here, after Rspamd's verdict, in the order of evaluation and up to the term that Rspamd says has
-- matched. Texts come from our resolver's cache.
--
-- The limit of two void look-ups, which the RFC only recommends, is not held: they are not told apart without asking all again.

local kLookUps = 10
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

-- The domain that SPF was asked for.
local function domain_of(task)
  local from = task:get_from("smtp")
  local domain = from and from[1] and from[1].domain
  return domain and domain ~= "" and domain or task:get_helo()
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

-- What a term does to evaluation: nothing (nil), "end" it, or include the record of a domain. Counts in state. Macros are not
-- written out here, so that a term with one may be the one that has matched.
local function effect_of(term, state, record)
  local text = term:gsub("^[-+~?]", "")
  if text == "all" then
    -- Without a plus, it ends an included record only.
    if record.top or not term:find("^[-~?]") then
      return "end"
    end
    record.at = #record.terms + 1
    record.redirect = nil
    return nil
  end
  local name, value = text:match("^([a-z0-9]+)[:=]?(.*)$")
  if kAsk[name] then
    state.count = state.count + 1
  end
  local fixed = text:match("^([^%%]*)%%")
  if fixed then
    return (name == "include" or state.matched:sub(1, #fixed) == fixed) and "end" or nil
  elseif name == "include" then
    return "include", value
  end
  record.redirect = record.redirect or text:match("^redirect=(.+)$")
  return text == state.matched and "end" or nil
end

local go_on

-- Asks for a record and goes on in it. Callbacks rather than Rspamd's coroutines, with which 3.12.1 crashes at the second look-up.
local function enter(state, domain, top)
  local function callback(_, _, texts)
    table.insert(state.records, {terms = terms_of(texts), at = 1, top = top})
    go_on(state)
  end
  state.task:get_resolver():resolve_txt({task = state.task, name = domain, callback = callback, forced = true})
end

-- Evaluates up to the next record that must be asked for, or to the end. The records are those that include each other.
go_on = function(state)
  while #state.records > 0 do
    local record = state.records[#state.records]
    local term = record.terms[record.at]
    if not term then
      table.remove(state.records)
      if record.redirect then
        state.count = state.count + 1
        if state.count <= kLookUps then
          return enter(state, record.redirect, record.top)
        end
        break
      end
    else
      record.at = record.at + 1
      local effect, domain = effect_of(term, state, record)
      if state.count > kLookUps then
        break
      elseif effect == "end" then
        return
      elseif effect == "include" then
        return enter(state, domain, false)
      end
    end
  end
  if state.count > kLookUps then
    state.task:remove_result(state.symbol)
    state.task:insert_result("R_SPF_PERMFAIL", 1.0, "more than " .. kLookUps .. " look-ups")
  end
end

local function count_look_ups(task)
  local symbol, matched = verdict_of(task)
  local domain = symbol and domain_of(task)
  if domain then
    enter({task = task, symbol = symbol, matched = matched, count = 0, records = {}}, domain, true)
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
