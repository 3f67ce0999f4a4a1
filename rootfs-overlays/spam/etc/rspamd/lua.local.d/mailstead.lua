-- SPDX-License-Identifier: GPL-3.0-or-later
-- Our own rules for mail of strangers.
package.path = "/usr/share/mailstead/rspamd/?.lua;" .. package.path
require "bounds"
require "long_fields"
require "stuck"
require "forged_headers"
require "spf_lookups"
require "strangers"
