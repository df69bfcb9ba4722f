/* Drives a store for Faultline (docs/targets.md). Copy this header beside your driver; include it first: C11 or C++17.
 * Fill in the calls below; main returns faultline_drive(argc, argv, &calls). Each call returns 0, or FAULTLINE_REFUSED
 * from put and remove (the store is well), or another number: it failed, and the workload ends with exit status 1. */
#pragma once
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
enum { FAULTLINE_REFUSED = -7001 };
typedef struct {
    void *(*open)(const char *directory); /* it may hold what a crash left; NULL: it does not open */
    int (*put)(void *store, const void *key, size_t key_size, const void *value, size_t value_size);
    int (*remove)(void *store, const void *key, size_t key_size); /* the key may be absent */
    int (*sync)(void *store);   /* NULL if put and remove are durable when they return; else one sync for a group */
    int (*dump)(void *store);   /* calls faultline_entry for each live key */
    void (*close)(void *store); /* frees locks, too: the next recovery may begin at once */
    unsigned group;             /* calls before one sync; 0 is 1 */
    size_t max_value;           /* of drawn values; 0 is 3000, and 64 KiB now and then */
    int (*check)(void *store);  /* NULL, or the store's own checker, after dump: faultline_fail with its complaint */
} faultline_calls;
typedef struct { char key[256], *value; size_t key_size, value_size; int is_delete, refused; } faultline_operation;

static char faultline_reason[400]; static FILE *faultline_out; /* the dump, whole before any of it is printed */
static inline int faultline_fail(const char *format, ...) { /* notes why a call fails; returns 1 */
    va_list list;
    va_start(list, format), vsnprintf(faultline_reason, sizeof faultline_reason, format, list), va_end(list);
    for (char *c = faultline_reason; *c; c++) if (*c < ' ' || *c == '"' || *c == '\\' || *c > '~') *c = '?';
    return 1;
}
static inline void faultline_usage(const char *what, const char *why) {
    fprintf(stderr, "%s %s: run the driver with faultline run MANIFEST --scenario smoke\n", what, why), _exit(2);
}
static inline const char *faultline_variable(const char *name, const char *otherwise) {
    const char *value = getenv(name) && *getenv(name) ? getenv(name) : otherwise;
    return value ? value : (faultline_usage(name, "is not set"), value);
}
static inline long long faultline_number(const char *name, const char *otherwise) {
    char *end;
    long long number = strtoll(faultline_variable(name, otherwise), &end, 10);
    if (*end) faultline_usage(name, "is not a number");
    return number;
}
static inline void faultline_base64(FILE *out, const void *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)data;
    for (size_t i = 0; i < size; i += 3) {
        unsigned n = p[i] << 16 | (i + 1 < size ? p[i + 1] << 8 : 0) | (i + 2 < size ? p[i + 2] : 0);
        for (size_t k = 0; k < 4; k++) fputc(i + k > size ? '=' : digits[n >> (18 - 6 * k) & 63], out);
    }
}
static inline void faultline_pair(FILE *out, const void *key, size_t key_size, const void *value, size_t value_size) {
    fputs("\"key\":\"", out), faultline_base64(out, key, key_size), fputc('"', out);
    if (value) fputs(",\"payload\":\"", out), faultline_base64(out, value, value_size), fputc('"', out);
}
static inline void faultline_entry(const void *key, size_t key_size, const void *value, size_t value_size) {
    fputc('{', faultline_out), faultline_pair(faultline_out, key, key_size, value ? value : "", value_size);
    fputs("}\n", faultline_out);
}
static inline int faultline_write(int file, const char *bytes, size_t size) { /* one write; more only if it is short */
    for (ssize_t done = 0; size; done > 0 ? (void)(bytes += done, size -= (size_t)done) : (void)0)
        if ((done = write(file, bytes, size)) < 0 && errno != EINTR) return -1;
    return 0;
}
static inline unsigned long long faultline_random(unsigned long long *state) { /* splitmix64 */
    unsigned long long z = *state += 0x9e3779b97f4a7c15u;
    return z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u, z = (z ^ z >> 27) * 0x94d049bb133111ebu, z ^ z >> 31;
}
static inline faultline_operation faultline_draw(unsigned long long seed, long long seq, size_t max_value) {
    faultline_operation it;
    unsigned long long state = seed * 0x2545f4914f6cdd1du + (unsigned long long)seq, draw = faultline_random(&state);
    long long keys = faultline_number("FAULTLINE_KEYS", "10"), length = faultline_number("FAULTLINE_KEY_LEN", "0");
    int width = length > 1 && length < 255 ? (int)length - 1 : 2, key = (int)(draw % (unsigned)(keys > 0 ? keys : 1));
    it.key_size = (size_t)snprintf(it.key, sizeof it.key, "k%0*d", width, key);
    it.is_delete = faultline_random(&state) % 12 == 0;
    long long size = faultline_number("FAULTLINE_VALUE_LEN", "-1");
    size_t kind = faultline_random(&state) % 64, small = faultline_random(&state) % (max_value ? max_value : 3000);
    it.value_size = size >= 0 ? (size_t)size : kind == 0 && !max_value ? 65536 : kind < 5 ? 0 : small;
    if (!(it.value = (char *)malloc(it.value_size + 32))) faultline_usage("the driver", "has no memory");
    size_t i = (size_t)snprintf(it.value, 32, "%lld ", seq);
    for (; i < it.value_size; i++) it.value[i] = (char)(faultline_random(&state) >> 56);
    return it;
}
static inline void faultline_note(int oracle, long long seq, const faultline_operation *it, const char *phase) {
    char *line; size_t size;
    FILE *out = open_memstream(&line, &size);
    fprintf(out, "{\"op\":\"%s\",\"seq\":%lld,", it->is_delete ? "del" : "put", seq);
    faultline_pair(out, it->key, it->key_size, it->is_delete ? NULL : it->value, it->value_size);
    fprintf(out, phase ? ",\"phase\":\"%s\"}\n" : "}\n", phase);
    if (fclose(out) || faultline_write(oracle, line, size) || fdatasync(oracle)) faultline_usage("the oracle", strerror(errno));
    free(line);
}
static inline int faultline_workload(const faultline_calls *calls) {
    long long seq = faultline_number("FAULTLINE_FIRST_SEQ", "1"), end = seq + faultline_number("FAULTLINE_OPS", "100");
    long long left = faultline_number("FAULTLINE_ACKS", "-1"), seconds = faultline_number("FAULTLINE_DURATION", "0");
    unsigned long long began = (unsigned long long)time(NULL), seed = strtoull(faultline_variable("FAULTLINE_SEED", NULL), NULL, 10);
    int failed = 0, oracle = open(faultline_variable("FAULTLINE_ORACLE", NULL), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (oracle < 0) faultline_usage("FAULTLINE_ORACLE", strerror(errno));
    size_t group = calls->sync && calls->group ? calls->group : 1, count;
    faultline_operation *waiting = (faultline_operation *)calloc(group, sizeof *waiting);
    void *store = waiting ? calls->open(faultline_variable("FAULTLINE_DIR", NULL)) : NULL;
    if (!store) return fprintf(stderr, "does not open: %s\n", faultline_reason), 1;
    while (seq < end && !failed && !(seconds && (long long)(time(NULL) - (time_t)began) > seconds)) {
        for (count = 0; count < group && seq < end && !failed; count++, seq++) {
            faultline_operation *it = &waiting[count];
            *it = faultline_draw(seed, seq, calls->max_value);
            faultline_note(oracle, seq, it, "begin");
            int result = it->is_delete ? calls->remove(store, it->key, it->key_size)
                                       : calls->put(store, it->key, it->key_size, it->value, it->value_size);
            it->refused = result == FAULTLINE_REFUSED, failed = result && !it->refused;
        }
        failed = failed || (calls->sync && calls->sync(store));
        for (size_t i = 0; i < count; free(waiting[i++].value)) {
            int is_failed = failed || waiting[i].refused;
            while (!is_failed && left == 0) pause(); /* FAULTLINE_ACKS: wait to be killed */
            faultline_note(oracle, seq - (long long)(count - i), &waiting[i], is_failed ? "failed" : NULL);
            left -= !is_failed && left > 0;
        }
    }
    return failed ? (fprintf(stderr, "the store failed: %s\n", faultline_reason), 1) : (calls->close(store), 0);
}
static inline void faultline_recover(const faultline_calls *calls, const char *directory, int output) {
    char *answer; size_t size;
    faultline_reason[0] = 0, faultline_out = open_memstream(&answer, &size);
    void *store = calls->open(directory);
    int failed = store ? calls->dump(store) : 1;
    if (!failed && calls->check) fprintf(faultline_out, "{\"check\":\"%s\"}\n", calls->check(store) ? faultline_reason : "ok");
    if (store) calls->close(store); /* before the end line */
    if (failed) fclose(faultline_out), free(answer), faultline_out = open_memstream(&answer, &size);
    failed ? fprintf(faultline_out, "{\"error\":\"%s\"}\n", faultline_reason) : fputs("{\"end\":true}\n", faultline_out);
    if (fclose(faultline_out) || faultline_write(output, answer, size)) _exit(1);
    free(answer);
}
static inline int faultline_drive(int argc, char **argv, const faultline_calls *calls) { /* argv[2] and on are yours */
    int output = dup(1);
    dup2(2, 1); /* what a library prints must not get into the dump */
    if (argc > 1 && !strcmp(argv[1], "workload")) _exit(faultline_workload(calls));
    if (argc > 1 && !strcmp(argv[1], "init")) faultline_recover(calls, faultline_variable("FAULTLINE_DIR", NULL), 2), _exit(!!*faultline_reason);
    if (argc < 2 || strcmp(argv[1], "recover")) faultline_usage(argv[0], "needs the argument workload, recover or init");
    char *line = getenv("FAULTLINE_DIR"); /* not set for a persistent recover process */
    if (line) faultline_recover(calls, line, output), _exit(0);
    size_t room = 0;
    for (; getline(&line, &room, stdin) > 0; faultline_recover(calls, line, output)) line[strcspn(line, "\n")] = 0;
    _exit(0); /* at once: threads and destructors of a library cannot hold up or fail the end */
}
