// SPDX-License-Identifier: GPL-3.0-or-later
// Preloaded, lets a process called "mailstead" add a line to the file $CLOCK_LOG when it exits: when it began and when it
// ended by its own clock, in seconds since the epoch. A process that is killed adds none. In front of a library that
// changes the clock, so that what that one needs is still there at the end.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static time_t begin;
static pid_t beginner;

__attribute__((constructor)) static void note_begin(void) {
  begin = time(NULL);
  beginner = getpid();
}

__attribute__((destructor)) static void note_end(void) {
  char name[16] = "";  // its file's, that of a script too
  const char* log = getenv("CLOCK_LOG");
  if (!log || getpid() != beginner || prctl(PR_GET_NAME, name) != 0 || strcmp(name, "mailstead") != 0) return;
  FILE* file = fopen(log, "a");
  if (!file || fprintf(file, "%lld %lld\n", (long long)begin, (long long)time(NULL)) < 0 || fclose(file) != 0) abort();
}
