-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a message may be made of. Rspamd 3.12's parser has no bounds of its own on parts, on message/rfc822 within message/rfc822 and
-- on header lines: it takes memory for each part (50,000 of them fit into 200 kB of mail), and each level reads again all that is
-- below it, without an end to the stack. So this counts lines of the raw message before any of it is parsed, as a filter of
-- connections, which is the only kind that runs by then, and what is beyond the bounds is refused for good: its sender would not
-- make it smaller by trying again.
--
-- The count is an upper bound of what the parser can make of the message, and needs no understanding of MIME that could differ from
-- the parser's. What is hidden from it (message/rfc822 in base64) meets the memory and time limits of rspamd.service.

local trie = require "rspamd_trie"

local kHeaderBytes = 256 * 1024
-- Fields of all headers together: the message's own, those of its parts, and those of messages within it.
local kFields = 10000
-- Lines that begin with --: any of them may begin a part, unless the message is nothing but plain text, as a dump of a database
-- with its comments. That has a bound for the time that counting takes.
local kDelimiters = 2000
local kLines = 200000
-- Content-Type lines, outermost included: each part that is not plain text has one, and each message/rfc822.
local kContentTypes = 1000
-- Attached messages, which may be in each other.
local kMessages = 100

-- Patterns, each with what it is one of. The parser takes a bare CR for the end of a line, too.
local kDelimiter, kContentType, kMessage, kHeaderEnd = 1, 2, 3, 4
local kinds = {
  kDelimiter, kDelimiter, kContentType, kContentType, kMessage, kHeaderEnd, kHeaderEnd, kHeaderEnd
}
local search = trie.create({
  "\n--", "\r--", "\ncontent-type", "\rcontent-type", "message/", "\n\r\n", "\n\n", "\r\r"
}, trie.flags.icase)

-- Whether this is the type of a part: the field's name is before it, in the same line or in those that it is folded from.
local function is_type(content, place)
  local before = content:sub(math.max(1, place - 100), place):str():lower()
  return before:find("[\r\n]content%-type[ \t]*:[^:]*$") ~= nil
end

-- How many lines from one place to another look like fields of a header, which any name without blanks does to the parser.
local function fields_between(content, first, last)
  local count = 0
  while first < last do
    -- In pieces, as Lua wants a copy.
    local piece = content:sub(first, math.min(first + 65535, last)):str()
    for _ in piece:gmatch("[\r\n][^%s:]+:") do
      count = count + 1
    end
    first = first + 65536
  end
  return count
end

-- What is wrong with a message, or nil.
local function excess(task)
  local content = task:get_content()
  local header = content:len()
  -- Where a header may begin: in front, behind each line of dashes, and behind the header of a part that is a message. To the next
  -- empty line, all is taken for one.
  local begin, in_message = 1, false
  local fields = 0
  local is_plain = true
  local bounds = {[kDelimiter] = kLines, [kContentType] = kContentTypes, [kMessage] = kMessages}
  local text = {
    [kDelimiter] = "too many parts",
    [kContentType] = "too many parts",
    [kMessage] = "more than " .. kMessages .. " attached messages",
  }
  local counts = {[kDelimiter] = 0, [kContentType] = 0, [kMessage] = 0}
  local found
  search:search_rawmsg(task, function(pattern, place)
    local kind = kinds[pattern]
    if kind == kHeaderEnd then
      header = math.min(header, place[1])
      if begin then
        fields = fields + fields_between(content, begin, place[1])
      end
      begin, in_message = in_message and place[1] or nil, false
      if fields > kFields then
        found = "too many header lines"
        return 1
      end
    elseif kind ~= kMessage or is_type(content, place[1]) then
      counts[kind] = counts[kind] + 1
      if kind == kContentType then
        -- Its value begins behind the name.
        local value = content:sub(place[2] + 1, place[2] + 20):str():lower()
        is_plain = is_plain and counts[kind] == 1 and value:find("^[ \t]*:[ \t]*text/plain") ~= nil
      elseif kind == kMessage then
        in_message = true
      elseif not is_plain then
        begin = begin or place[1]
      end
      if counts[kind] > bounds[kind] then
        found = text[kind]
        return 1
      end
    end
    return 0
  end)
  if not found and begin and fields + fields_between(content, begin, content:len()) > kFields then
    found = "too many header lines"
  end
  if not found and counts[kDelimiter] > kDelimiters and not is_plain then
    found = text[kDelimiter]
  end
  if header > kHeaderBytes then
    return "its header is larger than " .. kHeaderBytes .. " bytes"
  end
  return found
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
