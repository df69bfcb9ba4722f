/* Kyoto Cabinet's hash database (Debian: libkyotocabinet-dev): a transaction that is synced for each operation.
 *
 *     c++ -std=c++17 -O2 -I lib -o kyotocabinet_store kyotocabinet_store.cpp -lkyotocabinet */
#include "faultline_driver.h"
#include <kchashdb.h>

using kyotocabinet::HashDB;
static bool has_transactions = true;

static int answer(const char *what, HashDB *database, bool is_good) {
    return is_good ? 0 : faultline_fail("%s: %s: %s", what, database->error().name(), database->error().message());
}
static void close_store(void *store) { delete static_cast<HashDB *>(store); }
static void *open_store(const char *directory) {
    HashDB *database = new HashDB;
    bool is_open = database->open(std::string(directory) + "/db.kch", HashDB::OWRITER | HashDB::OCREATE | HashDB::OTRYLOCK);
    if (!answer("open", database, is_open)) return database;
    close_store(database);
    return NULL;
}
static bool begin(HashDB *it) { return !has_transactions || it->begin_transaction(true); }
static bool end(HashDB *it) { return has_transactions ? it->end_transaction(true) : it->synchronize(true); }
static int put(void *store, const void *key, size_t key_size, const void *value, size_t value_size) {
    HashDB *it = static_cast<HashDB *>(store);
    bool is_good = begin(it) && it->set((const char *)key, key_size, (const char *)value, value_size) && end(it);
    return answer("put", it, is_good);
}
static int delete_key(void *store, const void *key, size_t key_size) {
    HashDB *it = static_cast<HashDB *>(store);
    if (!begin(it)) return answer("delete", it, false);
    it->remove((const char *)key, key_size);
    return answer("delete", it, end(it));
}
static int dump(void *store) {
    HashDB *it = static_cast<HashDB *>(store);
    std::string key, value;
    HashDB::Cursor *cursor = it->cursor();
    cursor->jump();
    while (cursor->get(&key, &value, true)) faultline_entry(key.data(), key.size(), value.data(), value.size());
    delete cursor;
    return 0;
}
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) if (!strcmp(argv[i], "--mode=sync")) has_transactions = false;
    static faultline_calls calls;
    calls.open = open_store, calls.put = put, calls.remove = delete_key, calls.dump = dump, calls.close = close_store;
    return faultline_drive(argc, argv, &calls);
}
