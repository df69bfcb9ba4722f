/* RocksDB through its C library (Debian: librocksdb-dev). The small write buffer makes it flush and compact early.
 *
 *     cc -std=c11 -O2 -I lib -o rocksdb_store rocksdb_store.c -lrocksdb */
#include "faultline_driver.h"
#include <rocksdb/c.h>

static int syncs = 1, has_log = 1;

static int answer(const char *what, char *error) {
    if (!error) return 0;
    faultline_fail("%s: %s", what, error);
    free(error);
    return 1;
}
static void *open_store(const char *directory) {
    char *error = NULL;
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_write_buffer_size(options, 64 << 10);
    rocksdb_options_set_info_log_level(options, 4);
    rocksdb_t *store = rocksdb_open(options, directory, &error);
    rocksdb_options_destroy(options);
    return answer("open", error) ? NULL : store;
}
static rocksdb_writeoptions_t *write_options(void) {
    static rocksdb_writeoptions_t *options;
    if (!options) {
        options = rocksdb_writeoptions_create();
        rocksdb_writeoptions_set_sync(options, (unsigned char)(syncs && has_log));
        rocksdb_writeoptions_disable_WAL(options, !has_log);
    }
    return options;
}
static int put(void *store, const void *key, size_t key_size, const void *value, size_t value_size) {
    char *error = NULL;
    rocksdb_put(store, write_options(), key, key_size, value, value_size, &error);
    return answer("put", error);
}
static int delete_key(void *store, const void *key, size_t key_size) {
    char *error = NULL;
    rocksdb_delete(store, write_options(), key, key_size, &error);
    return answer("delete", error);
}
static int dump(void *store) {
    char *error = NULL;
    size_t key_size, value_size;
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_iterator_t *at = rocksdb_create_iterator(store, options);
    for (rocksdb_iter_seek_to_first(at); rocksdb_iter_valid(at); rocksdb_iter_next(at)) {
        const char *key = rocksdb_iter_key(at, &key_size), *value = rocksdb_iter_value(at, &value_size);
        faultline_entry(key, key_size, value, value_size);
    }
    rocksdb_iter_get_error(at, &error);
    rocksdb_iter_destroy(at);
    rocksdb_readoptions_destroy(options);
    return answer("read", error);
}
static void close_store(void *store) { rocksdb_close(store); }

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--wal=nosync")) syncs = 0;
        if (!strcmp(argv[i], "--wal=off")) has_log = 0;
    }
    static const faultline_calls calls = {
        .open = open_store, .put = put, .remove = delete_key, .dump = dump, .close = close_store};
    return faultline_drive(argc, argv, &calls);
}
