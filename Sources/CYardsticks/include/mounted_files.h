// A client of a mounted filesystem, in plain C: the calls that `faultline bench mount` counts.
#ifndef MOUNTED_FILES_H
#define MOUNTED_FILES_H

#include <stdint.h>

// When a client stops: after so many calls or so many seconds, whichever comes first.
struct client_limit {
    double seconds;
    uint64_t count;
};

// Keeps this thread, and whatever it starts from here on, on one core: the last that it may use. 0, or a negative errno.
int client_stay_on_one_core(void);

// Each returns how often a second it did what it does, or a negative errno.

// Appends 4 KiB to a new file and calls fsync(2).
double client_append(const char *path, struct client_limit limit);

// Overwrites a page of an existing file, each time another, and calls fdatasync(2).
double client_overwrite(const char *path, struct client_limit limit);

// Writes 1 MiB after the other to a new file.
double client_write_mebibytes(const char *path, struct client_limit limit);

struct client_reads {
    double cold, warm;
};

// Reads pages of an existing file, each time another: after the kernel was told to drop them, and when all are cached.
struct client_reads client_read(const char *path, struct client_limit limit);

struct client_names {
    double create, unlink;
};

// Creates and closes empty files in an existing directory, then unlinks them.
struct client_names client_names(const char *directory, uint64_t count);

// Writes and syncs a file under a temporary name, renames it over another, and syncs the directory.
double client_replace(const char *directory, struct client_limit limit);

#endif
