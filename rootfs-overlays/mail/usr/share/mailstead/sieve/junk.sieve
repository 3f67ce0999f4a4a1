# SPDX-License-Identifier: GPL-3.0-or-later
require ["fileinto"];
# Rspamd has removed any such line that came from outside.
if header :is "X-Spam" "Yes" {
  fileinto "Junk";
  stop;
}
