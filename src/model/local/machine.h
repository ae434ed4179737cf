/* machine.h - the cores and the memory that this process may use. It must not know models. */
#ifndef CORD_MACHINE_H
#define CORD_MACHINE_H

#include <stdint.h>

int machine_cores(void);
/* Bytes of memory that there are, and that are free or could be at once; 0 where the system does not tell. */
uint64_t machine_memory(void);
uint64_t machine_free_memory(void);

#endif
