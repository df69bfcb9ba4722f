/* WiredTiger (Debian: libwiredtiger-dev), MongoDB's store: a table, a transaction for each operation.
 *
 *     cc -std=c11 -O2 -I lib -o wiredtiger_store wiredtiger_store.c -lwiredtiger */
#include "faultline_driver.h"
#include <wiredtiger.h>

typedef struct { WT_CONNECTION *connection; WT_SESSION *session; WT_CURSOR *cursor; } store;
static const char *settings = "create,cache_size=32M,log=(enabled=true,file_max=100K),checkpoint=(log_size=100KB),"
                              "transaction_sync=(enabled=true,method=fsync)";

static int answer(const char *what, int error) {
    return error ? faultline_fail("%s: %s", what, wiredtiger_strerror(error)) : 0;
}
static void close_store(void *opened) {
    store *it = opened;
    it->connection->close(it->connection, NULL), free(it);
}
static void *open_store(const char *directory) {
    store *it = calloc(1, sizeof *it);
    if (answer("open", wiredtiger_open(directory, NULL, settings, &it->connection))) return free(it), NULL;
    int error = it->connection->open_session(it->connection, NULL, NULL, &it->session);
    if (!error) error = it->session->create(it->session, "table:kv", "key_format=u,value_format=u");
    if (!error) error = it->session->open_cursor(it->session, "table:kv", NULL, "overwrite=true", &it->cursor);
    return answer("open", error) ? close_store(it), NULL : it;
}
static int put(void *opened, const void *key, size_t key_size, const void *value, size_t value_size) {
    WT_CURSOR *cursor = ((store *)opened)->cursor;
    WT_ITEM name = {.data = key, .size = key_size}, content = {.data = value, .size = value_size};
    cursor->set_key(cursor, &name), cursor->set_value(cursor, &content);
    return answer("put", cursor->insert(cursor));
}
static int delete_key(void *opened, const void *key, size_t key_size) {
    WT_CURSOR *cursor = ((store *)opened)->cursor;
    WT_ITEM name = {.data = key, .size = key_size};
    cursor->set_key(cursor, &name);
    int error = cursor->remove(cursor);
    return answer("delete", error == WT_NOTFOUND ? 0 : error);
}
static int dump(void *opened) {
    WT_CURSOR *cursor = ((store *)opened)->cursor;
    WT_ITEM key, value;
    int error;
    while (!(error = cursor->next(cursor))) {
        if ((error = cursor->get_key(cursor, &key)) || (error = cursor->get_value(cursor, &value))) break;
        faultline_entry(key.data, key.size, value.data, value.size);
    }
    return answer("read", error == WT_NOTFOUND ? 0 : error);
}
static int check(void *opened) { /* verify needs the table for itself */
    store *it = opened;
    it->cursor->close(it->cursor);
    return answer("verify", it->session->verify(it->session, "table:kv", NULL));
}
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--sync=off")) settings = "create,cache_size=32M,log=(enabled=true,file_max=100K),checkpoint=(log_size=100KB)";
    static const faultline_calls calls = {
        .open = open_store, .put = put, .remove = delete_key, .dump = dump, .check = check, .close = close_store};
    return faultline_drive(argc, argv, &calls);
}
