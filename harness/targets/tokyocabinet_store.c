/* Tokyo Cabinet's hash database (Debian: libtokyocabinet-dev): a transaction, or a sync, for each operation.
 *
 *     cc -std=c11 -O2 -I lib -o tokyocabinet_store tokyocabinet_store.c -ltokyocabinet */
#include "faultline_driver.h"
#include <tchdb.h>

static int has_transactions = 1;

static int answer(const char *what, TCHDB *database, int is_good) {
    return is_good ? 0 : faultline_fail("%s: %s", what, tchdberrmsg(tchdbecode(database)));
}
static void close_store(void *store) { tchdbclose(store), tchdbdel(store); }
static void *open_store(const char *directory) {
    char path[4096];
    TCHDB *database = tchdbnew();
    snprintf(path, sizeof path, "%s/db", directory);
    int is_open = tchdbopen(database, path, HDBOWRITER | HDBOREADER | HDBOCREAT | HDBOTSYNC);
    return answer("open", database, is_open) ? tchdbdel(database), NULL : database;
}
static int begin(void *store) { return !has_transactions || tchdbtranbegin(store); }
static int end(void *store) { return has_transactions ? tchdbtrancommit(store) : tchdbsync(store); }
static int put(void *store, const void *key, size_t key_size, const void *value, size_t value_size) {
    return answer("put", store, begin(store) && tchdbput(store, key, (int)key_size, value, (int)value_size) && end(store));
}
static int delete_key(void *store, const void *key, size_t key_size) {
    int is_good = begin(store) && (tchdbout(store, key, (int)key_size) || tchdbecode(store) == TCENOREC) && end(store);
    return answer("delete", store, is_good);
}
static int dump(void *store) {
    int key_size, value_size;
    char *key, *value;
    if (answer("read", store, tchdbiterinit(store))) return 1;
    while ((key = tchdbiternext(store, &key_size))) {
        if (!(value = tchdbget(store, key, key_size, &value_size))) return free(key), answer("read", store, 0);
        faultline_entry(key, (size_t)key_size, value, (size_t)value_size);
        free(key), free(value);
    }
    return answer("read", store, tchdbecode(store) == TCESUCCESS || tchdbecode(store) == TCENOREC);
}
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) if (!strcmp(argv[i], "--mode=sync")) has_transactions = 0;
    static const faultline_calls calls = {
        .open = open_store, .put = put, .remove = delete_key, .dump = dump, .close = close_store};
    return faultline_drive(argc, argv, &calls);
}
