#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "yardsticks.h"

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int put_all(sqlite3 *database, size_t size, int count, double *seconds) {
    int code = sqlite3_exec(database,
                            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                            "CREATE TABLE pairs (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
                            NULL, NULL, NULL);
    if (code != SQLITE_OK) return code;
    sqlite3_stmt *put = NULL;
    code = sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO pairs VALUES (?, ?)", -1, &put, NULL);
    if (code != SQLITE_OK) return code;
    char *value = malloc(size);
    if (!value) {
        sqlite3_finalize(put);
        return SQLITE_NOMEM;
    }
    memset(value, 0xA5, size);
    double began = now();
    for (int index = 0; index < count; index++) {
        char key[32];
        int length = snprintf(key, sizeof key, "key-%d", index);
        sqlite3_bind_text(put, 1, key, length, SQLITE_TRANSIENT);
        sqlite3_bind_blob(put, 2, value, (int)size, SQLITE_STATIC);
        code = sqlite3_step(put);
        sqlite3_reset(put);
        if (code != SQLITE_DONE) break;
    }
    *seconds = now() - began;
    free(value);
    sqlite3_finalize(put);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

double yardstick_sqlite_puts(const char *path, size_t size, int count) {
    sqlite3 *database = NULL;
    double seconds = 0;
    int code = sqlite3_open(path, &database);
    if (code == SQLITE_OK) code = put_all(database, size, count, &seconds);
    sqlite3_close(database);
    return code == SQLITE_OK ? seconds : -(double)code;
}
