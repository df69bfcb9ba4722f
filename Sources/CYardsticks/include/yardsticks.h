// What the engine is measured against, in plain C: no object, no runtime, nothing between it and the system.
#ifndef YARDSTICKS_H
#define YARDSTICKS_H

#include <stddef.h>

#include "mounted_files.h"

// Each returns the seconds that it took, or a negative errno (of SQLite: a negative result code).

// Writes out what the filesystem of a directory holds, with syncfs(2), so that nobody pays for it later. Returns 0 or an errno.
int yardstick_settle(const char *directory);

// Overwrites `count` records of `size` bytes, one after the other, each with pwrite(2) and fdatasync(2). The file at
// `path` is created and written with zeros first, which is not counted.
double yardstick_overwrite(const char *path, size_t size, int count);

// Appends records to a file that grows, each with write(2) and fsync(2).
double yardstick_append(const char *path, size_t size, int count);

// Group commit by leader and followers: `threads` threads append `count` records each to one buffer under one mutex. A
// thread whose record is not durable yet becomes the leader if there is none, writes out what has gathered and calls
// fdatasync; the others wait for it. Into a file that was written with zeros first.
double yardstick_group_commit(const char *path, size_t size, int threads, int count);

// SQLite with journal_mode=WAL and synchronous=FULL: `count` times one INSERT OR REPLACE of a blob under a text key, each
// in a transaction of its own.
double yardstick_sqlite_puts(const char *path, size_t size, int count);

// Whether the C library of "leveldb" or "rocksdb" is installed. It is loaded when it is asked for: a build needs neither.
int yardstick_has_peer(const char *name);

// The same puts into one of them, its write option `sync` on, everything else as it comes. -1 when it is not installed, -2
// when it fails, which it says on standard error.
double yardstick_peer_puts(const char *name, const char *path, size_t size, int count);

#endif
