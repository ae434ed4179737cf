/* test_machine.c - the cores and the memory that a container was given, from files such as the kernel shows it. */
#include "scratch.h"

#include "model/local/machine.h"

/* A file below the root, which is the scratch folder. */
static void put(const char *name, const char *content) { scratch_write(name, text_of(content)); }

static void without_limits(void **state) {
    (void)state;
    int cores = machine_cores(scratch);
    uint64_t memory = machine_memory(scratch);
    assert_true(cores >= 1 && memory > 1 << 20);
    assert_int_equal(machine_free_memory(scratch), 0);
    put("proc/meminfo", "MemTotal:  99 kB\nMemFree:  2 kB\nMemAvailable:     2048 kB\nBuffers: 5 kB\n");
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/memory.max", "max\n");
    assert_int_equal(machine_cores(scratch), cores);
    assert_int_equal(machine_memory(scratch), memory);
    assert_int_equal(machine_free_memory(scratch), 2048 * 1024);
}

/* A share of a core is one thread. */
static void in_a_container(void **state) {
    (void)state;
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "50000 100000\n");
    put("sys/fs/cgroup/memory.max", "1048576\n");
    assert_int_equal(machine_cores(scratch), 1);
    assert_int_equal(machine_memory(scratch), 1048576);
    assert_int_equal(machine_free_memory(scratch), 1048576);
    put("sys/fs/cgroup/cpu.max", "100000000 100000\n");
    assert_in_range(machine_cores(scratch), 1, 1000);
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
    assert_int_equal(machine_cores(scratch), 1);
    assert_int_equal(machine_free_memory(scratch), 1048576);
    put("proc/self/cgroup", "0::/../../other\n");
    assert_int_equal(machine_free_memory(scratch), 2048 * 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits),
        cmocka_unit_test(in_a_container),
        cmocka_unit_test(in_a_group_below_one_with_limits),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
