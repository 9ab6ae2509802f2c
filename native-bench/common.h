/*
 * common — the few words that responder and driver share: ways to stop, a clock, a checked number, the fd limit
 *
 * A .c file that includes this defines PROGRAM first: the name in front of its complaints.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { EVENTS_MAX = 512, REPLIES_BYTES_MAX = 65536, FDS_MAX = 1 << 20 };

/* The system refused something: exit 1 with its reason. */
static void die(const char *what)
{
    fprintf(stderr, PROGRAM ": %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The words of the command line are wrong: exit 2. */
static void refuse(const char *what)
{
    fprintf(stderr, PROGRAM ": %s\n", what);
    exit(2);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static long number(const char *text, long least, long bound, const char *name)
{
    char *stop;
    errno = 0;
    long value = strtol(text, &stop, 10);
    if (errno != 0 || stop == text || *stop != '\0' || value < least || value > bound) {
        fprintf(stderr, PROGRAM ": %s must be %ld to %ld\n", name, least, bound);
        exit(2);
    }
    return value;
}

/* Reads a whole file of 1 byte to 64 kB into `bytes` (room for one byte more); returns its length. */
static size_t load_file(const char *path, char *bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) die(path);
    size_t length = fread(bytes, 1, REPLIES_BYTES_MAX + 1, file);
    if (ferror(file)) die(path);
    fclose(file);
    if (length == 0 || length > REPLIES_BYTES_MAX) refuse("the file of replies must have 1 byte to 64 kB");
    return length;
}

/* Raises the limit of open files as far as it goes; returns how many rows a table indexed by descriptor needs. */
static int raise_fd_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) die("getrlimit");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) die("setrlimit");
    return files.rlim_cur < FDS_MAX ? (int)files.rlim_cur : FDS_MAX;
}
