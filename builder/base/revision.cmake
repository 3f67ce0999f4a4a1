# SPDX-License-Identifier: GPL-3.0-or-later
# Writes REVISION_FILE, a source file with what git says of SOURCE, if that has changed: cmake -DSOURCE=… -DREVISION_FILE=… -P
# A repository of another owner is read all the same: who builds it runs what is in it anyway.
set(revision "")
find_program(git git)
if(git AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${git} -c safe.directory=* -c core.fsmonitor=false -C ${SOURCE} describe --always --dirty --abbrev=12
    OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT revision MATCHES "^[A-Za-z0-9._+-]+$")
  set(revision unknown)
endif()
file(CONFIGURE OUTPUT ${REVISION_FILE} CONTENT [[#include "base/revision.hpp"

const char* const mailstead::kRevision = "@revision@";
]] @ONLY)
