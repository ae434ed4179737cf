/* machine.c - the cores and the memory that this process may use. It must not know models. */
#include "model/local/machine.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* The first line of a file that begins with `start`, behind that; empty where there is none. */
static void read_line(const char *path, const char *start, char *line, size_t size) {
    size_t len = strlen(start);
    FILE *file = fopen(path, "re");
    *line = '\0';
    while (file && fgets(line, (int)size, file)) {
        if (strncmp(line, start, len) == 0) break;
        *line = '\0';
    }
    if (file) fclose(file);
    if (*line) memmove(line, line + len, strlen(line + len) + 1);
    line[strcspn(line, "\n")] = '\0';
}

/* ---- cgroups ------------------------------------------------------------------------------------------------- */

/* What a line of cpu.max (quota and period, microseconds) or of memory.max (bytes) allows; UINT64_MAX where it is no limit. */
static uint64_t limit_of(const char *line) {
    uint64_t most = 0, period = 0;
    int n = sscanf(line, "%" SCNu64 " %" SCNu64, &most, &period); /* NOLINT(cert-err34-c): the kernel wrote it */
    if (n < 1) return UINT64_MAX;
    return n == 2 && period ? (most + period - 1) / period : most;
}

/* The least limit of this process's group and of those above it. In a container its own group is the topmost that it sees. */
static uint64_t group_limit(const char *root, const char *file) {
    char path[PATH_BYTES], group[PATH_BYTES / 2], line[64];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    read_line(path, "0::", group, sizeof group);
    if (strstr(group, "..")) *group = '\0'; /* it lies outside of what is mounted here */
    uint64_t least = UINT64_MAX;
    for (char *end = group + strlen(group); end; end = strrchr(group, '/')) {
        *end = '\0';
        snprintf(path, sizeof path, "%s/sys/fs/cgroup%s/%s", root, group, file);
        read_line(path, "", line, sizeof line);
        uint64_t limit = limit_of(line);
        if (limit < least) least = limit;
    }
    return least;
}

/* ---- what there is ------------------------------------------------------------------------------------------- */

static int all_cores(void) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    return all > 0 ? (int)all : 1;
}

int machine_cores(const char *root) {
    int cores = all_cores();
    uint64_t limit = group_limit(root, "cpu.max");
    if (limit == 0) return 1;
    return limit < (uint64_t)cores ? (int)limit : cores;
}

static uint64_t within_group(const char *root, uint64_t bytes) {
    uint64_t limit = group_limit(root, "memory.max");
    return limit < bytes ? limit : bytes;
}

uint64_t machine_memory(const char *root) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
    return pages > 0 && size > 0 ? within_group(root, (uint64_t)pages * (uint64_t)size) : 0;
}

uint64_t machine_free_memory(const char *root) {
    char path[PATH_BYTES], line[64];
    uint64_t kilobytes = 0;
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    read_line(path, "MemAvailable:", line, sizeof line);
    (void)sscanf(line, "%" SCNu64, &kilobytes); /* NOLINT(cert-err34-c): the kernel wrote it */
    return within_group(root, kilobytes * 1024);
}
