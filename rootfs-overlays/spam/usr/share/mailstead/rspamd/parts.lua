-- SPDX-License-Identifier: GPL-3.0-or-later
-- How many parts the parser of Rspamd 3.12 can make of a message, at most, counted from its raw bytes as a search goes through them.
--
-- The parser looks for every line that begins with --, wherever it is. One is the delimiter of a multipart if it is its boundary; and
-- behind the last delimiter of an outermost multipart (of the message, or of an attached one) any such line begins another part. Lines
-- of texts in between, as in patches, tables or dumps of databases, begin none, and are not counted.
--
-- Which is which is certain only where boundaries are written as everybody reads them: one Content-Type in a header, folded or not,
-- with one boundary of usual characters that nothing else in the message has, and no line elsewhere that looks like the type of
-- a multipart or of an attached message. RFC 2231's forms, comments, two boundaries, blanks in one or behind its delimiters, and none at
-- all, which the parser guesses, are not. Then every line of dashes is counted, once for each multipart: the parser gives the lines of one to
-- another in whose part it finds no delimiter.

local M = {}

-- Searched for without regard to case. The parser takes a bare CR for the end of a line, too.
M.patterns = {
  "\n--", "\r--", "\ncontent-type", "\rcontent-type", "message/", "\n\r\n", "\n\n", "\r\r"
}

-- What is read of a field with its folds.
local kLongestField = 2000
local kLongestBoundary = 100

local Count = {}
Count.__index = Count

-- `content` has the functions sub and len of a text of Rspamd's.
function M.new(content)
  local count = setmetatable({
    content = content,
    header = nil,      -- how long the outermost is
    is_single = true,  -- it says that the message is a single part, of which the parser makes no more
    certain = true,
    lines = 0,         -- of dashes
    delimiters = 0,    -- those of them that begin a part, if it is certain
    types = 0,         -- Content-Type lines
    part_types = 0,    -- those of them that are in headers
    multiparts = 0,    -- those of them that name one
    messages = 0,
    fields = 0,        -- in headers
    all_fields = 0,    -- and behind any line of dashes, up to an empty one
    boundaries = {},   -- those declared
    others = {},       -- lines of dashes that were none when they came
    -- Multiparts that the place is in, the outermost first: boundary; is_digest; is_root: of the message or an attached one, and then
    -- `others`, how many lines of dashes were none of its delimiters, and is_closed.
    open = {},
    begin = 1,         -- of the header that the place is in, or nil
    any_begin = 1,     -- of what may be one
    is_root = true,    -- it is that of the message or of an attached one
    kind = nil,        -- what its Content-Type says: single, multipart or message
    boundary = nil,
    is_digest = false,
    in_digest = false, -- it is that of a part which is a message if nothing else is said
    in_message = false,
    in_field = false,  -- the place may be in a Content-Type, which has been looked at up to `seen`
    seen = 1,
  }, Count)
  if content:sub(1, 12):str():lower() == "content-type" then
    count:found_type({1, 12})
  end
  return count
end

-- The rest of the field whose name ends at a place, unfolded; nil if it is too long.
local function field_at(content, place)
  local text = content:sub(place + 1, place + kLongestField):str()
  local is_all = #text < kLongestField
  local pos = 1
  while true do
    local stop, after = text:match("()[\r\n]+()", pos)
    if not stop then
      return is_all and text:gsub("[\r\n]", "") or nil
    elseif after <= #text and not text:find("^[ \t]", after) then
      return (text:sub(1, stop - 1):gsub("[\r\n]", ""))
    end
    pos = after
  end
end

-- The boundary among parameters; nil if there is none, or if they are not written as everybody reads them.
local function boundary_in(parameters)
  local boundary
  while not parameters:find("^[ \t]*;?[ \t]*$") do
    local name, value, rest = parameters:match('^[ \t]*;[ \t]*([%w_.-]+)="([^"\\]*)"(.*)$')
    if not name then
      name, value, rest = parameters:match("^[ \t]*;[ \t]*([%w_.-]+)=([%w!#$%%&'*+.^_`{|}~-]+)(.*)$")
    end
    if not name then
      return nil
    end
    if name:lower() == "boundary" then
      if boundary or #value > kLongestBoundary or not value:find("^[%w'()+_,./:=?-]+$") or value:find("%-%-$") then
        return nil
      end
      boundary = value:lower()
    end
    parameters = rest
  end
  return boundary
end

-- What a Content-Type says: kind, boundary and subtype; or nil if that is not certain.
local function read_type(field)
  local main, sub, parameters = field:match("^[ \t]*:[ \t]*([%w.+-]+)/([%w.+_-]+)(.*)$")
  if not main or parameters:find("^[^ \t;]") or field:find("=?", 1, true) then
    return nil
  end
  main, sub = main:lower(), sub:lower()
  if main == "multipart" then
    local boundary = boundary_in(parameters)
    return boundary and "multipart", boundary, sub
  elseif main == "message" and sub ~= "delivery-status" and not sub:find("notification", 1, true) then
    return "message"
  end
  -- The parser reads what PKCS #7 holds as a part.
  return not sub:find("pkcs7-mime", 1, true) and "single" or nil
end

-- Whether a field may be the type of something that has parts.
local function may_have_parts(field)
  local text = field:lower()
  return text:find("multipart", 1, true) or text:find("message", 1, true) or text:find("pkcs7-mime", 1, true)
end

function Count:found_type(place)
  if self.header and self.is_single then
    return
  end
  self.types = self.types + 1
  self.in_field, self.seen = true, place[2] + 1
  local field = field_at(self.content, place[2])
  local has_none = field ~= nil and not may_have_parts(field)
  if not field or field:lower():find("multipart", 1, true) then
    self.multiparts = self.multiparts + 1
  end
  if not self.begin then
    self.certain = self.certain and has_none
    return
  end
  self.part_types = self.part_types + 1
  if not self.header and not has_none then
    self.is_single = false
  end
  local kind, boundary, sub
  if field then
    kind, boundary, sub = read_type(field)
  end
  if not kind or self.kind then
    -- Where there is nothing to misread, it is no type with parts, or the second of two.
    self.certain = self.certain and has_none and (self.kind or "single") == "single"
    self.kind = self.kind or "single"
    return
  end
  self.kind, self.boundary, self.is_digest = kind, boundary, sub == "digest"
  if kind == "multipart" then
    self.certain = self.certain and not (self.boundaries[boundary] or self.others[boundary] or self.others[boundary .. "--"])
    self.boundaries[boundary] = true
  elseif kind == "message" and self.is_root then
    -- A message that is nothing but another message: the parser looks for parts of both in the whole of it.
    self.certain = false
  end
end

-- In a type, if no line that is no fold of it has begun since the last Content-Type. Each place is looked at once.
function Count:found_message(place)
  if not self.in_field then
    return
  end
  local between = self.content:sub(self.seen, math.min(place[1] + 1, self.seen + 8191)):str()
  self.seen = place[1] + 1
  if between:find("[\r\n][^ \t\r\n]") then
    self.in_field = false
    return
  end
  self.messages = self.messages + 1
  self.in_message = true
end

-- How many lines from one place to another look like fields of a header, which any name without blanks does to the parser; and whether
-- there may be lines of white space only, or bare CRs, which it does not always take for the end of one.
local function fields_between(content, first, last)
  local count, is_odd = 0, last - first > 65535
  while first < last do
    -- In pieces, as Lua wants a copy.
    local piece = content:sub(first, math.min(first + 65535, last)):str()
    for _ in piece:gmatch("[\r\n][^%s:]+:") do
      count = count + 1
    end
    is_odd = is_odd or piece:find("\n[ \t\v\f]+\r?\n") ~= nil or piece:find("\r[^\n]") ~= nil
    first = first + 65536
  end
  return count, is_odd
end

-- Into a header that begins at a place, or out of one.
function Count:enter(begin, is_root)
  self.begin, self.is_root = begin, is_root or false
  self.kind, self.boundary, self.is_digest, self.in_digest, self.in_message = nil, nil, false, false, false
end

function Count:found_header_end(place)
  local fields, is_odd
  if self.any_begin then
    fields, is_odd = fields_between(self.content, self.any_begin, place[1])
    self.all_fields = self.all_fields + fields
    if self.begin and self.begin ~= self.any_begin then
      fields, is_odd = fields_between(self.content, self.begin, place[1])
    end
  end
  self.any_begin, self.in_field = nil, false
  if self.begin then
    self.fields = self.fields + fields
    self.certain = self.certain and not is_odd
    if not self.header then
      self.header = place[1]
      self.is_single = self.is_single and not is_odd
    end
    if self.in_digest and not self.kind then
      self.in_message = true
      self.messages = self.messages + 1
    end
    if self.kind == "multipart" then
      self.open[#self.open + 1] = {boundary = self.boundary, is_digest = self.is_digest, is_root = self.is_root, others = 0}
    end
  end
  local begin = self.in_message and place[1] or nil
  self.any_begin = begin
  self:enter(self.begin and begin, true)
end

-- Out of the innermost multipart. Without its end, the parser takes any line of dashes for the beginning of a part.
function Count:leave()
  local last = table.remove(self.open)
  if last.is_root and not last.is_closed then
    self.delimiters = self.delimiters + last.others
  end
end

-- The innermost open multipart of which this line is a delimiter, or nil.
function Count:owner_of(text)
  for i = #self.open, 1, -1 do
    local boundary = self.open[i].boundary
    if text == boundary or text == boundary .. "--" then
      return i
    end
  end
  return nil
end

function Count:found_delimiter(place)
  self.lines = self.lines + 1
  if self.is_single or not self.header then
    return
  end
  self.any_begin = self.any_begin or place[2]
  local line = self.content:sub(place[2] + 1, place[2] + kLongestBoundary + 8):str():match("^[^\r\n]*"):lower()
  local text = line:gsub("%s+$", "")
  local at = self:owner_of(text)
  -- To the parser, it is none with blanks behind it.
  self.certain = self.certain and not (at and line ~= text)
  while at and #self.open > at do
    self:leave()
  end
  local is_declared = at or self.boundaries[text] or self.boundaries[text:gsub("%-%-$", "")]
  local is_behind = false
  for _, one in ipairs(self.open) do
    is_behind = is_behind or one.is_closed
    if not at then
      one.others = one.others + 1
    end
  end
  if is_declared or is_behind then
    self.delimiters = self.delimiters + 1
  else
    self.others[text] = true
  end
  local one = self.open[at]
  if one and text ~= one.boundary then
    one.is_closed = true
    if not one.is_root then
      self:leave()
    end
    self:enter(nil)
  elseif one or is_behind then
    self:enter(place[2])
    self.any_begin = place[2]
    self.in_digest = one ~= nil and one.is_digest
  end
end

local handlers = {
  Count.found_delimiter, Count.found_delimiter, Count.found_type, Count.found_type, Count.found_message,
  Count.found_header_end, Count.found_header_end, Count.found_header_end
}

-- A match: which of the patterns, and its first and last place.
function Count:add(pattern, place)
  handlers[pattern](self, place)
end

-- Behind the last one.
function Count:finish()
  self:found_header_end({self.content:len()})
  while #self.open > 0 do
    self:leave()
  end
end

return M
