/* machine.h - the cores and the memory that this process may use: what the machine has, its affinity, and what a container
 * was given (cgroup v2). It must not know models. */
#ifndef CORD_MACHINE_H
#define CORD_MACHINE_H

#include <stdint.h>

/* `root` stands before /proc and /sys: "" but for tests. */
int machine_cores(const char *root);
/* Bytes of memory that there are, and that are free or could be at once; 0 where the system does not tell. */
uint64_t machine_memory(const char *root);
uint64_t machine_free_memory(const char *root);

#endif
