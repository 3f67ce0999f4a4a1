# SPDX-License-Identifier: GPL-3.0-or-later
require ["vnd.dovecot.pipe", "copy"];
# A program that does not answer must not keep the message from its new folder.
pipe :copy :try "learn-spam";
