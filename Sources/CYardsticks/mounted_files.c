#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mounted_files.h"

enum { page = 4096, mebibyte = 1 << 20 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int client_stay_on_one_core(void) {
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -errno;
    int last = CPU_SETSIZE - 1;
    while (last > 0 && !CPU_ISSET(last, &allowed)) last--;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0 ? 0 : -errno;
}

// Calls a second of `step`, which answers 0 or an errno, for as long as `limit` says. The clock is read every 16 calls.
static double rate(struct client_limit limit, int (*step)(void *, uint64_t), void *state) {
    double began = now(), elapsed = 0;
    uint64_t count = 0;
    while (count < limit.count && (elapsed < limit.seconds || count < 16)) {
        int error = step(state, count++);
        if (error) return -error;
        if (count % 16 == 0) elapsed = now() - began;
    }
    return (double)count / (now() - began);
}

static int put(int file, const void *bytes, size_t size, off_t offset) {
    while (size > 0) {
        ssize_t count = pwrite(file, bytes, size, offset);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? errno : EIO;
        bytes = (const char *)bytes + count;
        size -= (size_t)count;
        offset += count;
    }
    return 0;
}

struct file {
    int number;
    uint64_t pages;
    uint32_t *order;
    char bytes[mebibyte];
};

static struct file *opened(const char *path, int flags) {
    struct file *file = calloc(1, sizeof *file);
    if (!file) return NULL;
    file->number = open(path, flags | O_CLOEXEC, 0600);
    if (file->number >= 0) return file;
    int error = errno;
    free(file);
    errno = error;
    return NULL;
}

static double closed(struct file *file, double result) {
    close(file->number);
    free(file->order);
    free(file);
    return result;
}

static int append_and_sync(void *state, uint64_t index) {
    struct file *file = state;
    int error = put(file->number, file->bytes, page, (off_t)(index * page));
    if (error) return error;
    return fsync(file->number) == 0 ? 0 : errno;
}

double client_append(const char *path, struct client_limit limit) {
    struct file *file = opened(path, O_RDWR | O_CREAT | O_TRUNC);
    if (!file) return -errno;
    memset(file->bytes, 0xA5, page);
    return closed(file, rate(limit, append_and_sync, file));
}

static int write_mebibyte(void *state, uint64_t index) {
    struct file *file = state;
    return put(file->number, file->bytes, mebibyte, (off_t)index * mebibyte);
}

double client_write_mebibytes(const char *path, struct client_limit limit) {
    struct file *file = opened(path, O_RDWR | O_CREAT | O_TRUNC);
    if (!file) return -errno;
    memset(file->bytes, 0x5A, mebibyte);
    return closed(file, rate(limit, write_mebibyte, file));
}

// The pages in an order that is the same each time and that no read-ahead guesses.
static int shuffle(struct file *file) {
    off_t end = lseek(file->number, 0, SEEK_END);
    if (end < page) return EINVAL;
    file->pages = (uint64_t)end / page;
    file->order = malloc(file->pages * sizeof *file->order);
    if (!file->order) return ENOMEM;
    uint64_t random = 88172645463325252u;
    for (uint64_t index = 0; index < file->pages; index++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        uint64_t other = random % (index + 1);
        file->order[index] = file->order[other];
        file->order[other] = (uint32_t)index;
    }
    return 0;
}

static off_t place(const struct file *file, uint64_t index) {
    return (off_t)file->order[index % file->pages] * page;
}

static int overwrite_and_sync(void *state, uint64_t index) {
    struct file *file = state;
    int error = put(file->number, file->bytes, page, place(file, index));
    if (error) return error;
    return fdatasync(file->number) == 0 ? 0 : errno;
}

double client_overwrite(const char *path, struct client_limit limit) {
    struct file *file = opened(path, O_RDWR);
    if (!file) return -errno;
    int error = shuffle(file);
    memset(file->bytes, 0x3C, page);
    return closed(file, error ? -error : rate(limit, overwrite_and_sync, file));
}

static int read_page(void *state, uint64_t index) {
    struct file *file = state;
    ssize_t count = pread(file->number, file->bytes, page, place(file, index));
    return count == page ? 0 : count < 0 ? errno : EIO;
}

struct client_reads client_read(const char *path, struct client_limit limit) {
    struct file *file = opened(path, O_RDONLY);
    if (!file) return (struct client_reads){-errno, -errno};
    int error = shuffle(file);
    if (!error) error = posix_fadvise(file->number, 0, 0, POSIX_FADV_RANDOM);
    if (!error) error = posix_fadvise(file->number, 0, 0, POSIX_FADV_DONTNEED);
    struct client_reads result = {-error, -error};
    if (!error) {
        // Every page once: the second time it would be warm.
        if (limit.count > file->pages) limit.count = file->pages;
        result.cold = rate(limit, read_page, file);
        char byte;
        for (uint64_t index = 0; index < file->pages; index++)
            if (pread(file->number, &byte, 1, (off_t)index * page) != 1) error = EIO;
        result.warm = error ? -error : rate((struct client_limit){limit.seconds, UINT64_MAX}, read_page, file);
    }
    closed(file, 0);
    return result;
}

static const char *name_of(char *name, size_t size, uint64_t index) {
    snprintf(name, size, "f%llu", (unsigned long long)index);
    return name;
}

static int create(void *state, uint64_t index) {
    char name[32];
    int file = openat(*(int *)state, name_of(name, sizeof name, index), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    close(file);
    return 0;
}

static int unlink_one(void *state, uint64_t index) {
    char name[32];
    return unlinkat(*(int *)state, name_of(name, sizeof name, index), 0) == 0 ? 0 : errno;
}

struct client_names client_names(const char *directory, uint64_t count) {
    int number = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (number < 0) return (struct client_names){-errno, -errno};
    struct client_limit limit = {1e9, count};
    struct client_names result = {rate(limit, create, &number), 0};
    result.unlink = result.create < 0 ? result.create : rate(limit, unlink_one, &number);
    close(number);
    return result;
}

static int replace(void *state, uint64_t index) {
    static const char bytes[page] = {1};
    int directory = *(int *)state;
    int file = openat(directory, "tmp", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    int error = put(file, bytes, sizeof bytes, 0);
    if (!error && fsync(file) != 0) error = errno;
    close(file);
    if (error) return error;
    if (renameat(directory, "tmp", directory, index % 2 ? "one" : "two") != 0) return errno;
    return fsync(directory) == 0 ? 0 : errno;
}

double client_replace(const char *directory, struct client_limit limit) {
    int number = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (number < 0) return -errno;
    double result = rate(limit, replace, &number);
    close(number);
    return result;
}
