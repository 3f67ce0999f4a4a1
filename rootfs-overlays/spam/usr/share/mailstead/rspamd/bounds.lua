-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a message may be made of. Rspamd 3.12's parser has no bounds of its own on parts, on message/rfc822 within message/rfc822 and
-- on header lines: it takes memory for each part (50,000 of them fit into 200 kB of mail), and each level reads again all that is
-- below it, without an end to the stack. So this counts in the raw message (parts.lua) before any of it is parsed, as a filter of
-- connections, which is the only kind that runs by then. What is beyond the bounds is refused for good: its sender would not make it
-- smaller by trying again.
--
-- What is hidden from the count (message/rfc822 in base64) meets the memory and time limits of rspamd.service.

local parts = require "parts"
local trie = require "rspamd_trie"

local kHeaderBytes = 256 * 1024
-- Fields of all headers together: the message's own, those of its parts, and those of messages within it.
local kFields = 10000
-- Lines that begin a part.
local kDelimiters = 2000
-- What the parser may make of a message in which that is not certain: lines that begin with --, times multiparts.
local kParts = 10000
-- Lines that begin with -- in whatever text, for the time that counting takes.
local kLines = 200000
-- Content-Type lines, outermost included: each part that is not plain text has one, and each message/rfc822.
local kContentTypes = 1000
-- What looks like such lines in whatever text.
local kTypeLines = 20000
-- Attached messages, which may be in each other.
local kMessages = 100

local search = trie.create(parts.patterns, trie.flags.icase)

-- What is wrong with what has been counted, or nil.
local function excess_of(count)
  local certain = count.certain
  return (count.header or 0) > kHeaderBytes and "its header is larger than " .. kHeaderBytes .. " bytes"
    or (certain and count.fields or count.all_fields) > kFields and "too many header lines"
    or (certain and count.part_types or count.types) > kContentTypes and "too many parts"
    or count.types > kTypeLines and "too many lines that begin with Content-Type; compress what is attached"
    or certain and count.delimiters > kDelimiters and "too many parts"
    or count.lines > kLines and "too many lines that begin with -- as parts do; compress what is attached"
    or not count.is_single and not certain and (count.lines > kDelimiters or count.lines * count.multiparts > kParts) and
      "too many parts, or lines that begin with -- as parts do; compress what is attached"
    or count.messages > kMessages and "more than " .. kMessages .. " attached messages"
    or nil
end

-- What is wrong with a message, or nil.
local function excess(task)
  local count = parts.new(task:get_content())
  search:search_rawmsg(task, function(pattern, place)
    count:add(pattern, place)
    -- The first excess is enough.
    return excess_of(count) and 1 or 0
  end)
  count:finish()
  return excess_of(count)
end

rspamd_config:register_symbol({
  name = "MESSAGE_BOUNDS",
  type = "connfilter",
  flags = "empty,nostat",
  score = 0.0,
  description = "A message of more parts than is usual",
  callback = function(task)
    local text = excess(task)
    if text then
      task:set_pre_result({action = "reject", message = "Message refused: " .. text, module = "BOUNDS"})
      -- Not parsed at all.
      task:set_flag("skip")
    end
  end,
})
