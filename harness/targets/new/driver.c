/* Drives my-store for Faultline. Put your store's calls into the five functions, and nothing else.
 *
 *     cc -std=c11 -O2 -o driver driver.c
 *
 * As it stands it drives an example: a file for each key, which each change replaces. It passes. */
#include "faultline_driver.h"
#include <dirent.h>

static int directory; /* the example's own: the directory of its files */
static char store;    /* and what it gives back for a store */

/* Opens the store. The directory is empty, or holds what a crash left. NULL: it does not open. */
static void *open_store(const char *path) {
    if ((directory = open(path, O_RDONLY | O_DIRECTORY)) >= 0) return &store;
    return faultline_fail("%s: %s", path, strerror(errno)), (void *)0;
}

/* The write is durable when this returns: include the call that syncs. */
static int put(void *store, const void *key, size_t key_size, const void *value, size_t value_size) {
    char name[256];
    (void)store, snprintf(name, sizeof name, "%.*s", (int)key_size, (const char *)key);
    int file = openat(directory, "new", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int failed = file < 0 || faultline_write(file, (const char *)value, value_size) || fsync(file) || close(file);
    if (failed || renameat(directory, "new", directory, name) || fsync(directory))
        return faultline_fail("put: %s", strerror(errno));
    return 0;
}

/* The same. The key may be absent. */
static int remove_key(void *store, const void *key, size_t key_size) {
    char name[256];
    (void)store, snprintf(name, sizeof name, "%.*s", (int)key_size, (const char *)key);
    int failed = (unlinkat(directory, name, 0) && errno != ENOENT) || fsync(directory);
    return failed ? faultline_fail("remove: %s", strerror(errno)) : 0;
}

/* Calls faultline_entry for every key with its value. */
static int dump(void *store) {
    static char value[1 << 20];
    DIR *list = fdopendir(dup(directory));
    (void)store;
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "new")) continue;
        int file = openat(directory, entry->d_name, O_RDONLY);
        ssize_t size = read(file, value, sizeof value);
        if (size < 0 || close(file)) return faultline_fail("%s: %s", entry->d_name, strerror(errno));
        faultline_entry(entry->d_name, strlen(entry->d_name), value, (size_t)size);
    }
    return list ? closedir(list) : faultline_fail("list: %s", strerror(errno));
}

/* Frees the store's locks: the next recovery may begin at once. */
static void close_store(void *store) { (void)store, close(directory); }

int main(int argc, char **argv) {
    static const faultline_calls calls = {
        .open = open_store, .put = put, .remove = remove_key, .dump = dump, .close = close_store};
    return faultline_drive(argc, argv, &calls);
}
