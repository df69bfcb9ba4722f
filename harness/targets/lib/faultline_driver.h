/* Drives a store for Faultline. Copy this header beside your driver and include it first: C11, C++17, nothing else.
 * Fill in the calls below, and let main return faultline_drive(argc, argv, &calls). Each call returns 0, or
 * FAULTLINE_REFUSED from put and remove (this operation was refused, the store is well), or another number: it failed.
 * After such a failure the workload ends with exit status 1. docs/targets.md is the whole protocol. */
#ifndef FAULTLINE_DRIVER_H
#define FAULTLINE_DRIVER_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
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
} faultline_calls;

static char faultline_reason[400];
static FILE *faultline_out; /* the dump, whole before any of it is printed */

/* Notes why a call fails; returns 1. */
static inline int faultline_fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(faultline_reason, sizeof faultline_reason, format, list);
    va_end(list);
    for (char *c = faultline_reason; *c; c++) if (*c < ' ' || *c == '"' || *c == '\\' || *c > '~') *c = '?';
    return 1;
}
static inline void faultline_usage(const char *what, const char *why) {
    fprintf(stderr, "%s %s: run the driver with faultline run MANIFEST --scenario smoke\n", what, why);
    _exit(2);
}
static inline const char *faultline_variable(const char *name) {
    const char *value = getenv(name);
    if (!value || !*value) faultline_usage(name, "is not set");
    return value;
}
static inline long long faultline_number(const char *name, long long otherwise) {
    const char *value = getenv(name);
    if (!value || !*value) return otherwise;
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (*end || errno) faultline_usage(name, "is not a number");
    return number;
}
static inline void faultline_base64(FILE *out, const void *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)data;
    for (size_t i = 0; i < size; i += 3) {
        unsigned n = p[i] << 16 | (i + 1 < size ? p[i + 1] << 8 : 0) | (i + 2 < size ? p[i + 2] : 0);
        fputc(digits[n >> 18], out);
        fputc(digits[n >> 12 & 63], out);
        fputc(i + 1 < size ? digits[n >> 6 & 63] : '=', out);
        fputc(i + 2 < size ? digits[n & 63] : '=', out);
    }
}
static inline void faultline_entry(const void *key, size_t key_size, const void *value, size_t value_size) {
    fputs("{\"key\":\"", faultline_out), faultline_base64(faultline_out, key, key_size);
    fputs("\",\"payload\":\"", faultline_out), faultline_base64(faultline_out, value, value_size);
    fputs("\"}\n", faultline_out);
}
static inline int faultline_write(int file, const char *bytes, size_t size) { /* one write; more only if it is short */
    while (size) {
        ssize_t done = write(file, bytes, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return -1;
        bytes += done, size -= (size_t)done;
    }
    return 0;
}
typedef struct { char key[256], *value; size_t key_size, value_size; int is_delete, refused; } faultline_operation;

static inline uint64_t faultline_random(uint64_t *state) { /* splitmix64 */
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static inline faultline_operation faultline_draw(uint64_t seed, long long seq, size_t max_value) {
    faultline_operation it;
    uint64_t state = seed * 0x2545f4914f6cdd1du + (uint64_t)seq, keys = (uint64_t)faultline_number("FAULTLINE_KEYS", 10);
    long long length = faultline_number("FAULTLINE_KEY_LEN", 0), size = faultline_number("FAULTLINE_VALUE_LEN", -1);
    int width = length > 1 && length < 255 ? (int)length - 1 : 2;
    it.key_size = (size_t)snprintf(it.key, sizeof it.key, "k%0*d", width, (int)(faultline_random(&state) % (keys ? keys : 1)));
    it.is_delete = faultline_random(&state) % 12 == 0;
    uint64_t kind = faultline_random(&state) % 64, small = faultline_random(&state) % (max_value ? max_value : 3000);
    it.value_size = size >= 0 ? (size_t)size : kind == 0 && !max_value ? 65536 : kind < 5 ? 0 : (size_t)small;
    if (!(it.value = (char *)malloc(it.value_size + 32))) faultline_usage("the driver", "has no memory");
    size_t mark = (size_t)snprintf(it.value, 32, "%lld ", seq);
    for (size_t i = mark; i < it.value_size; i++) it.value[i] = (char)(faultline_random(&state) >> 56);
    return it;
}
static inline void faultline_note(int oracle, long long seq, const faultline_operation *it, const char *phase) {
    char *line;
    size_t size;
    FILE *out = open_memstream(&line, &size);
    fprintf(out, "{\"op\":\"%s\",\"seq\":%lld,\"key\":\"", it->is_delete ? "del" : "put", seq);
    faultline_base64(out, it->key, it->key_size);
    if (!it->is_delete) fputs("\",\"payload\":\"", out), faultline_base64(out, it->value, it->value_size);
    fprintf(out, "\"%s%s%s}\n", phase ? ",\"phase\":\"" : "", phase ? phase : "", phase ? "\"" : "");
    if (fclose(out) || faultline_write(oracle, line, size) || fdatasync(oracle))
        faultline_usage("FAULTLINE_ORACLE", strerror(errno));
    free(line);
}
static inline int faultline_workload(const faultline_calls *calls) {
    long long seq = faultline_number("FAULTLINE_FIRST_SEQ", 1), end = seq + faultline_number("FAULTLINE_OPS", 100);
    long long left = faultline_number("FAULTLINE_ACKS", -1), seconds = faultline_number("FAULTLINE_DURATION", 0), first;
    uint64_t seed = strtoull(faultline_variable("FAULTLINE_SEED"), NULL, 10);
    time_t began = time(NULL);
    int oracle = open(faultline_variable("FAULTLINE_ORACLE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), failed = 0;
    if (oracle < 0) faultline_usage("FAULTLINE_ORACLE", strerror(errno));
    size_t group = calls->sync && calls->group ? calls->group : 1, count;
    faultline_operation *waiting = (faultline_operation *)calloc(group, sizeof *waiting);
    void *store = waiting ? calls->open(faultline_variable("FAULTLINE_DIR")) : NULL;
    if (!store) return fprintf(stderr, "does not open: %s\n", faultline_reason), 1;
    for (; seq < end && !failed && !(seconds && time(NULL) - began > seconds); free(waiting[0].value)) {
        for (first = seq, count = 0; count < group && seq < end && !failed; count++, seq++) {
            faultline_operation *it = &waiting[count];
            *it = faultline_draw(seed, seq, calls->max_value);
            faultline_note(oracle, seq, it, "begin");
            int result = it->is_delete ? calls->remove(store, it->key, it->key_size)
                                       : calls->put(store, it->key, it->key_size, it->value, it->value_size);
            it->refused = result == FAULTLINE_REFUSED, failed = result && !it->refused;
        }
        if (!failed && calls->sync) failed = calls->sync(store);
        for (size_t i = 0; i < count; i++) {
            int is_failed = failed || waiting[i].refused;
            while (!is_failed && left == 0) pause(); /* FAULTLINE_ACKS: wait to be killed */
            faultline_note(oracle, first + (long long)i, &waiting[i], is_failed ? "failed" : NULL);
            if (!is_failed && left > 0) left--;
            if (i) free(waiting[i].value);
        }
    }
    if (failed) return fprintf(stderr, "the store failed: %s\n", faultline_reason), 1;
    return calls->close(store), 0;
}
static inline void faultline_recover(const faultline_calls *calls, const char *directory, int output) {
    char *answer;
    size_t size;
    faultline_reason[0] = 0;
    faultline_out = open_memstream(&answer, &size);
    void *store = calls->open(directory);
    int failed = store ? calls->dump(store) : 1;
    if (store) calls->close(store); /* before the end line */
    if (failed) {
        fclose(faultline_out), free(answer);
        faultline_out = open_memstream(&answer, &size);
        fprintf(faultline_out, "{\"error\":\"%s\"}\n", faultline_reason);
    }
    if (!failed) fputs("{\"end\":true}\n", faultline_out);
    if (fclose(faultline_out) || faultline_write(output, answer, size)) _exit(1);
    free(answer);
}
/* Runs the command that argv[1] names, workload or recover; other arguments are yours. */
static inline int faultline_drive(int argc, char **argv, const faultline_calls *calls) {
    int output = dup(1);
    dup2(2, 1); /* what a library prints must not get into the dump */
    if (argc > 1 && !strcmp(argv[1], "workload")) _exit(faultline_workload(calls));
    if (argc < 2 || strcmp(argv[1], "recover")) faultline_usage(argv[0], "needs the argument workload or recover");
    const char *once = getenv("FAULTLINE_DIR"); /* not set for a persistent recover process */
    if (once) faultline_recover(calls, once, output);
    char *line = NULL;
    size_t room = 0;
    for (ssize_t n; !once && (n = getline(&line, &room, stdin)) > 0;) {
        if (line[n - 1] == '\n') line[n - 1] = 0;
        faultline_recover(calls, line, output);
    }
    _exit(0); /* at once: threads and destructors of a library cannot hold up or fail the end */
}
#endif
