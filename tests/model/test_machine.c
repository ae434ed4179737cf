/* test_machine.c - the cores and the memory that a container was given, from files such as the kernel shows it. */
#include "support.h"

#include "model/local/machine.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/cord-test-machine-XXXXXX";

/* A file below the root, with its folders. */
static void put(const char *name, const char *content) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        mkdir(path, 0700);
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void without_limits(void **state) {
    (void)state;
    int cores = machine_cores(root);
    uint64_t memory = machine_memory(root);
    assert_true(cores >= 1 && memory > 1 << 20);
    assert_int_equal(machine_free_memory(root), 0);
    put("proc/meminfo", "MemTotal:  99 kB\nMemFree:  2 kB\nMemAvailable:     2048 kB\nBuffers: 5 kB\n");
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/memory.max", "max\n");
    assert_int_equal(machine_cores(root), cores);
    assert_int_equal(machine_memory(root), memory);
    assert_int_equal(machine_free_memory(root), 2048 * 1024);
}

/* A share of a core is one thread. */
static void in_a_container(void **state) {
    (void)state;
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "50000 100000\n");
    put("sys/fs/cgroup/memory.max", "1048576\n");
    assert_int_equal(machine_cores(root), 1);
    assert_int_equal(machine_memory(root), 1048576);
    assert_int_equal(machine_free_memory(root), 1048576);
    put("sys/fs/cgroup/cpu.max", "100000000 100000\n");
    assert_in_range(machine_cores(root), 1, 1000);
}

static void in_a_group_below_one_with_limits(void **state) {
    (void)state;
    put("proc/self/cgroup", "12:cpu:/old\n0::/user.slice/cord\n");
    put("sys/fs/cgroup/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/memory.max", "max\n");
    put("sys/fs/cgroup/user.slice/cpu.max", "80000 100000\n");
    put("sys/fs/cgroup/user.slice/memory.max", "1048576\n");
    put("sys/fs/cgroup/user.slice/cord/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/user.slice/cord/memory.max", "1572864\n");
    assert_int_equal(machine_cores(root), 1);
    assert_int_equal(machine_free_memory(root), 1048576);
    put("proc/self/cgroup", "0::/../../other\n");
    assert_int_equal(machine_free_memory(root), 2048 * 1024);
}

static int make_root(void **state) {
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state) {
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command); // NOLINT(cert-env33-c)
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits),
        cmocka_unit_test(in_a_container),
        cmocka_unit_test(in_a_group_below_one_with_limits),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
