// SPDX-License-Identifier: GPL-3.0-or-later
// Preloaded, lists folders in the reverse of the file system's order, so that a program that forgets to sort
// is found out. Reaches what calls readdir(3) of a shared C library: not static programs, nor fts(3) and
// scandir(3), which the C library serves from its inside; a new file system of another kind (tmpfs, ext4)
// gives those another order.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct listing {
  DIR* dir;
  struct dirent** entries;
  size_t left;
  size_t size;
  struct listing* next;
};

static struct listing* listings;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct dirent* next_entry(DIR* dir) {
  static struct dirent* (*real)(DIR*);
  if (!real) real = (struct dirent * (*)(DIR*)) dlsym(RTLD_NEXT, "readdir");
  return real(dir);
}

static struct listing* find(DIR* dir) {
  struct listing* found = listings;
  while (found && found->dir != dir) found = found->next;
  return found;
}

static struct listing* read_all(DIR* dir) {
  struct listing* made = calloc(1, sizeof *made);
  if (!made) abort();
  made->dir = dir;
  struct dirent* entry;
  while ((entry = next_entry(dir))) {
    made->entries = realloc(made->entries, (made->size + 1) * sizeof *made->entries);
    if (!made->entries || !(made->entries[made->size] = malloc(entry->d_reclen))) abort();
    memcpy(made->entries[made->size++], entry, entry->d_reclen);
  }
  made->left = made->size;
  made->next = listings;
  return listings = made;
}

static void forget(DIR* dir) {
  pthread_mutex_lock(&mutex);
  for (struct listing** at = &listings; *at; at = &(*at)->next) {
    struct listing* old = *at;
    if (old->dir != dir) continue;
    *at = old->next;
    while (old->size) free(old->entries[--old->size]);
    free(old->entries);
    free(old);
    break;
  }
  pthread_mutex_unlock(&mutex);
}

struct dirent* readdir(DIR* dir) {
  pthread_mutex_lock(&mutex);
  struct listing* listing = find(dir);
  if (!listing) listing = read_all(dir);
  struct dirent* entry = listing->left ? listing->entries[--listing->left] : NULL;
  pthread_mutex_unlock(&mutex);
  return entry;
}

// The same structure where files have 64-bit sizes, as on all that Mailstead runs on.
_Static_assert(sizeof(struct dirent) == sizeof(struct dirent64), "64-bit host");
struct dirent64* readdir64(DIR* dir) {
  return (struct dirent64*)readdir(dir);
}

void rewinddir(DIR* dir) {
  forget(dir);
  ((void (*)(DIR*))dlsym(RTLD_NEXT, "rewinddir"))(dir);
}

int closedir(DIR* dir) {
  forget(dir);
  return ((int (*)(DIR*))dlsym(RTLD_NEXT, "closedir"))(dir);
}
