-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a message may be made of. Rspamd 3.12's parser has no bounds of its own on parts, on message/rfc822 within message/rfc822 and
-- on header lines: it takes memory for each part (50,000 of them fit into 200 kB of mail), and each level reads again all that is
-- below it, without an end to the stack. So this counts lines of the raw message before any of it is parsed, as a filter of
-- connections, which is the only kind that runs by then. What is beyond the bounds is refused for good: its sender would not make it
-- smaller by trying again.
--
-- The count is an upper bound of what the parser can make of the message, and needs no understanding of MIME that could differ from
-- the parser's: to that, in the last part of a message any line of dashes begins another part. What is hidden from it
-- (message/rfc822 in base64) meets the memory and time limits of rspamd.service.

local trie = require "rspamd_trie"

local kHeaderBytes = 256 * 1024
-- Fields of all headers together: the message's own, those of its parts, and those of messages within it.
local kFields = 10000
-- Lines that begin with --, unless the message is nothing but a text, as a dump of a database with its comments. That has a bound
-- for the time that counting takes.
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

-- Whether this is in the type of a part: the line that it is in, or from which its line is folded, is that field. Where that line
-- begins too far in front to be seen, it is taken for one.
local function is_type(content, place)
  local before = content:sub(math.max(1, place - 2000), place):str():lower():gsub("[\r\n]+[ \t]", " ")
  local line = before:match("[\r\n]([^\r\n]*)$")
  return not line or line:find("^content%-type[ \t]*:") ~= nil
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

-- The count of a message, to which `found` adds as the search goes on from its front to its end.
local Count = {}
Count.__index = Count

function Count.new(content)
  return setmetatable({
    content = content,
    header = nil,    -- how long the outermost is
    is_text = true,  -- nothing but a text so far, which has no parts
    delimiters = 0,
    types = 0,
    messages = 0,
    fields = 0,
    -- Where a header may begin: in front, behind a line of dashes, and behind the header of a part that is a message. To the next empty
    -- line, all is taken for one.
    begin = 1,
    in_message = false,
  }, Count)
end

Count.found = {
  [kDelimiter] = function(self, place)
    self.delimiters = self.delimiters + 1
    if not self.is_text then
      self.begin = self.begin or place[1]
    end
  end,
  [kContentType] = function(self, place)
    self.types = self.types + 1
    local value = self.content:sub(place[2] + 1, place[2] + 20):str():lower()
    self.is_text = self.is_text and self.types == 1 and value:find("^[ \t]*:[ \t]*text/") ~= nil
  end,
  [kMessage] = function(self, place)
    if is_type(self.content, place[1]) then
      self.messages = self.messages + 1
      self.in_message = true
    end
  end,
  [kHeaderEnd] = function(self, place)
    self.header = self.header or place[1]
    if self.begin then
      self.fields = self.fields + fields_between(self.content, self.begin, place[1])
    end
    self.begin, self.in_message = self.in_message and place[1] or nil, false
  end,
}

-- What is wrong with what has been counted, or nil.
function Count:excess()
  return (self.header or 0) > kHeaderBytes and "its header is larger than " .. kHeaderBytes .. " bytes"
    or self.fields > kFields and "too many header lines"
    or self.types > kContentTypes and "too many parts"
    or self.delimiters > (self.is_text and kLines or kDelimiters) and
      "too many parts, or lines that begin with -- as the parts do; compress what is attached"
    or self.messages > kMessages and "more than " .. kMessages .. " attached messages"
    or nil
end

-- What is wrong with a message, or nil.
local function excess(task)
  local count = Count.new(task:get_content())
  search:search_rawmsg(task, function(pattern, place)
    count.found[kinds[pattern]](count, place)
    -- The first excess is enough.
    return count:excess() and 1 or 0
  end)
  count.found[kHeaderEnd](count, {count.content:len()})
  return count:excess()
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
