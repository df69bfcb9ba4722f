#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "yardsticks.h"

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int write_all(int file, const char *bytes, size_t size, off_t offset) {
    while (size > 0) {
        ssize_t count = pwrite(file, bytes, size, offset);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? -errno : -EIO;
        bytes += count;
        size -= (size_t)count;
        offset += count;
    }
    return 0;
}

// A file of zeros, durable.
static int zeroed_file(const char *path, size_t size) {
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return -errno;
    static const char zeros[1 << 16];
    int result = 0;
    for (size_t done = 0; result == 0 && done < size; done += sizeof zeros)
        result = write_all(file, zeros, sizeof zeros, (off_t)done);
    if (result == 0 && fsync(file) != 0) result = -errno;
    if (result == 0) return file;
    close(file);
    return result;
}

int yardstick_settle(const char *directory) {
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return errno;
    int failure = syncfs(file) == 0 ? 0 : errno;
    close(file);
    return failure;
}

// Writes records one after the other, each followed by `sync`; seconds, or -errno. Closes the file.
static double write_records(int file, size_t size, int count, int (*sync)(int)) {
    char *record = malloc(size);
    int result = record ? 0 : -ENOMEM;
    if (record) memset(record, 0xA5, size);
    double began = now();
    for (int index = 0; result == 0 && index < count; index++) {
        result = write_all(file, record, size, (off_t)size * index);
        if (result == 0 && sync(file) != 0) result = -errno;
    }
    double seconds = now() - began;
    free(record);
    close(file);
    return result < 0 ? result : seconds;
}

double yardstick_overwrite(const char *path, size_t size, int count) {
    int file = zeroed_file(path, size * (size_t)count);
    return file < 0 ? file : write_records(file, size, count, fdatasync);
}

double yardstick_append(const char *path, size_t size, int count) {
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return file < 0 ? -errno : write_records(file, size, count, fsync);
}

struct group {
    pthread_mutex_t lock;
    pthread_cond_t turn;
    int file, count, result, is_syncing;
    size_t size;
    // What gathers, and what the leader writes.
    char *gathering, *writing;
    size_t used;
    uint64_t appended, durable;
    off_t end;
};

static void lead(struct group *group) {
    char *bytes = group->gathering;
    size_t used = group->used;
    uint64_t reached = group->appended;
    group->gathering = group->writing;
    group->writing = bytes;
    group->used = 0;
    group->is_syncing = 1;
    pthread_mutex_unlock(&group->lock);
    int result = write_all(group->file, bytes, used, group->end);
    if (result == 0 && fdatasync(group->file) != 0) result = -errno;
    pthread_mutex_lock(&group->lock);
    group->end += (off_t)used;
    group->is_syncing = 0;
    group->durable = reached;
    if (result < 0) group->result = result;
    pthread_cond_broadcast(&group->turn);
}

static void *commit(void *argument) {
    struct group *group = argument;
    for (int index = 0; index < group->count; index++) {
        pthread_mutex_lock(&group->lock);
        memset(group->gathering + group->used, 0xA5, group->size);
        group->used += group->size;
        uint64_t mine = ++group->appended;
        while (group->durable < mine && group->result == 0) {
            if (group->is_syncing) pthread_cond_wait(&group->turn, &group->lock);
            else lead(group);
        }
        int failed = group->result != 0;
        pthread_mutex_unlock(&group->lock);
        if (failed) break;
    }
    return NULL;
}

double yardstick_group_commit(const char *path, size_t size, int threads, int count) {
    size_t room = size * (size_t)threads;
    int file = zeroed_file(path, room * (size_t)count);
    if (file < 0) return file;
    struct group group = {.lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER, .file = file,
                          .count = count, .size = size, .gathering = malloc(room), .writing = malloc(room)};
    pthread_t *ids = calloc((size_t)threads, sizeof *ids);
    int started = 0;
    if (!ids || !group.gathering || !group.writing) group.result = -ENOMEM;
    double began = now();
    while (group.result == 0 && started < threads) {
        int failure = pthread_create(&ids[started], NULL, commit, &group);
        if (failure != 0) {
            pthread_mutex_lock(&group.lock);
            group.result = -failure;
            pthread_mutex_unlock(&group.lock);
            break;
        }
        started++;
    }
    for (int index = 0; index < started; index++) pthread_join(ids[index], NULL);
    double seconds = now() - began;
    free(ids);
    free(group.gathering);
    free(group.writing);
    close(file);
    return group.result < 0 ? group.result : seconds;
}
