-- SPDX-License-Identifier: GPL-3.0-or-later
-- A worker that computes for 20 s without coming back to its event loop is stuck in one message: it dies by SIGPROF, and Rspamd's
-- main process starts another one. The message is put off (451). Processor time is what counts, so that a slow or busy machine
-- does not end what it only delays.
--
-- Rspamd's own heartbeats (heartbeats_loss_max) are not used: they begin with SIGTERM, and a worker that gets over its message just
-- then ends with success, upon which 3.12.1 starts no other in its place.

local ffi = require "ffi"

-- setitimer(2); struct itimerval is four longs: seconds and microseconds of the interval, and of the first time.
ffi.cdef "int setitimer(int which, const long *new_value, long *old_value);"
local ITIMER_PROF = 2
local limit = ffi.new("long[4]", {0, 0, 20, 0})

local function wind_up()
  ffi.C.setitimer(ITIMER_PROF, limit, nil)
  return true
end

rspamd_config:add_on_load(function(config, event_base, worker)
  local kind = worker:get_type()
  if kind == "normal" or kind == "rspamd_proxy" then
    wind_up()
    config:add_periodic(event_base, 1.0, wind_up, false)
  end
end)
