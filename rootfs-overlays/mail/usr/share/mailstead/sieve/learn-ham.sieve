# SPDX-License-Identifier: GPL-3.0-or-later
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];
if environment :matches "imap.mailbox" "*" {
  set "mailbox" "${1}";
}
# Thrown away, mail out of Junk is still junk.
if not string "${mailbox}" "Trash" {
  pipe :copy :try "learn-ham";
}
