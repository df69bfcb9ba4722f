/* A small example store in C: a log of entries, synced after each, or never with --sync=none.
 *
 *     cc -std=c11 -O2 -I lib -o clog clog.c
 *     faultline run ./clog.yaml --scenario smoke */
#include "faultline_driver.h"
#include <stdint.h>
#include <sys/stat.h>

typedef struct { uint32_t sum, key_size, value_size; } header; /* value_size UINT32_MAX: a delete */
typedef struct { char *bytes; size_t size; int file; } clog;
static int syncs = 1;

static uint32_t sum_of(const char *bytes, size_t size) {
    uint32_t sum = 2166136261u;
    while (size--) sum = (sum ^ (unsigned char)*bytes++) * 16777619u;
    return sum;
}
static size_t value_bytes(header h) { return h.value_size == UINT32_MAX ? 0 : h.value_size; }

/* Whether a whole entry begins at `at`; `next` is where it ends. */
static int entry(const clog *log, size_t at, header *h, size_t *next) {
    if (log->size - at < sizeof *h) return 0;
    memcpy(h, log->bytes + at, sizeof *h);
    size_t body = (size_t)h->key_size + value_bytes(*h);
    *next = at + sizeof *h + body;
    return body <= log->size - at - sizeof *h && h->sum == sum_of(log->bytes + at + 4, 8 + body);
}
/* Reads the log and cuts off a torn end, which a crash can leave. */
static void *open_log(const char *directory) {
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/log", directory);
    clog *log = (clog *)calloc(1, sizeof *log);
    if (!log || (log->file = open(path, O_RDWR | O_CREAT | O_APPEND, 0600)) < 0 || fstat(log->file, &info))
        return faultline_fail("%s: %s", path, strerror(errno)), (void *)0;
    log->bytes = (char *)malloc((size_t)info.st_size + 1);
    ssize_t read_bytes = log->bytes ? pread(log->file, log->bytes, (size_t)info.st_size, 0) : -1;
    if (read_bytes < 0) return faultline_fail("read: %s", strerror(errno)), (void *)0;
    log->size = (size_t)read_bytes;
    size_t end = 0, next;
    for (header h; entry(log, end, &h, &next);) end = next;
    log->size = end;
    int parent = open(directory, O_RDONLY);
    if (ftruncate(log->file, (off_t)end) || (syncs && (fsync(log->file) || fsync(parent))))
        return faultline_fail("open: %s", strerror(errno)), (void *)0;
    close(parent);
    return log;
}
static int append(void *store, const void *key, size_t key_size, const void *value, size_t value_size, int is_delete) {
    header h = {0, (uint32_t)key_size, is_delete ? UINT32_MAX : (uint32_t)value_size};
    size_t size = sizeof h + key_size + value_size;
    char *bytes = (char *)malloc(size);
    if (!bytes) return faultline_fail("no memory");
    memcpy(bytes + sizeof h, key, key_size);
    if (value_size) memcpy(bytes + sizeof h + key_size, value, value_size);
    memcpy(bytes, &h, sizeof h);
    h.sum = sum_of(bytes + 4, size - 4);
    memcpy(bytes, &h, sizeof h);
    int file = ((clog *)store)->file, failed = faultline_write(file, bytes, size) || (syncs && fsync(file));
    free(bytes);
    return failed ? faultline_fail("append: %s", strerror(errno)) : 0;
}
static int put(void *store, const void *key, size_t key_size, const void *value, size_t value_size) {
    return append(store, key, key_size, value, value_size, 0);
}
static int remove_key(void *store, const void *key, size_t key_size) { return append(store, key, key_size, "", 0, 1); }

/* Prints each entry that no later one of the same key replaces. */
static int dump(void *store) {
    clog *log = (clog *)store;
    header h, other;
    for (size_t at = 0, next, later; entry(log, at, &h, &next); at = next) {
        const char *key = log->bytes + at + sizeof h;
        int is_last = h.value_size != UINT32_MAX;
        for (size_t p = next; is_last && entry(log, p, &other, &later); p = later)
            is_last = other.key_size != h.key_size || memcmp(log->bytes + p + sizeof h, key, h.key_size);
        if (is_last) faultline_entry(key, h.key_size, key + h.key_size, value_bytes(h));
    }
    return 0;
}
static void close_log(void *store) {
    clog *log = (clog *)store;
    close(log->file), free(log->bytes), free(log);
}
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) if (!strcmp(argv[i], "--sync=none")) syncs = 0;
    static const faultline_calls calls = {
        .open = open_log, .put = put, .remove = remove_key, .dump = dump, .close = close_log};
    return faultline_drive(argc, argv, &calls);
}
