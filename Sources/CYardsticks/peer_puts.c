#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "yardsticks.h"

// RocksDB kept LevelDB's C interface and put its own name in front: https://github.com/google/leveldb/blob/main/include/leveldb/c.h
struct peer {
    void *library;
    void *(*options_create)(void);
    void (*options_destroy)(void *);
    void (*options_set_create_if_missing)(void *, unsigned char);
    void *(*writeoptions_create)(void);
    void (*writeoptions_destroy)(void *);
    void (*writeoptions_set_sync)(void *, unsigned char);
    void *(*open)(const void *options, const char *path, char **error);
    void (*close)(void *);
    void (*put)(void *, const void *options, const char *key, size_t key_size, const char *value, size_t value_size,
                char **error);
};

static void *library_named(const char *name) {
    // Debian's names of the run-time libraries, then what a development package or a build of one's own adds.
    static const char *const names[] = {"libleveldb.so.1d", "libleveldb.so.1", "libleveldb.so",
                                        "librocksdb.so.7.8", "librocksdb.so.8.9", "librocksdb.so.9.10",
                                        "librocksdb.so"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (strncmp(names[index] + strlen("lib"), name, strlen(name)) != 0) continue;
        void *library = dlopen(names[index], RTLD_NOW | RTLD_LOCAL);
        if (library) return library;
    }
    return NULL;
}

static void *function_named(void *library, const char *name, const char *suffix) {
    char symbol[64];
    snprintf(symbol, sizeof symbol, "%s_%s", name, suffix);
    return dlsym(library, symbol);
}

// False when it is not installed, or has another interface.
static int load(struct peer *peer, const char *name) {
    if (!(peer->library = library_named(name))) return 0;
#define LOAD(function)                                                                   \
    do {                                                                                 \
        *(void **)&peer->function = function_named(peer->library, name, #function);      \
        if (!peer->function) return 0;                                                   \
    } while (0)
    LOAD(options_create);
    LOAD(options_destroy);
    LOAD(options_set_create_if_missing);
    LOAD(writeoptions_create);
    LOAD(writeoptions_destroy);
    LOAD(writeoptions_set_sync);
    LOAD(open);
    LOAD(close);
    LOAD(put);
#undef LOAD
    return 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int yardstick_has_peer(const char *name) {
    struct peer peer;
    return load(&peer, name);
}

double yardstick_peer_puts(const char *name, const char *path, size_t size, int count) {
    struct peer peer;
    if (!load(&peer, name)) return -1;
    char *error = NULL;
    void *options = peer.options_create();
    peer.options_set_create_if_missing(options, 1);
    void *writing = peer.writeoptions_create();
    peer.writeoptions_set_sync(writing, 1);
    void *store = peer.open(options, path, &error);
    char *value = malloc(size);
    double seconds = 0;
    if (store && value) {
        memset(value, 0xA5, size);
        double began = now();
        for (int index = 0; !error && index < count; index++) {
            char key[32];
            int length = snprintf(key, sizeof key, "key-%d", index);
            peer.put(store, writing, key, (size_t)length, value, size, &error);
        }
        seconds = now() - began;
    }
    if (error) fprintf(stderr, "%s: %s\n", name, error);
    int failed = !store || !value || error;
    free(value);
    free(error);
    if (store) peer.close(store);
    peer.writeoptions_destroy(writing);
    peer.options_destroy(options);
    return failed ? -2 : seconds;
}
