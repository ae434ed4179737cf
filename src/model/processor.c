/* processor.c - whether this machine's processor has the instructions that a back end was compiled for. It is compiled for any
 * processor itself, as all is but src/model/local and llama.cpp. */
#include "model/backend.h"

const char *processor_lacks(const char *const *instructions) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    const struct {
        const char *name;
        bool here;
    } known[] = {{"avx", __builtin_cpu_supports("avx")},
                 {"avx2", __builtin_cpu_supports("avx2")},
                 {"fma", __builtin_cpu_supports("fma")},
                 {"bmi2", __builtin_cpu_supports("bmi2")},
                 {"avx512f", __builtin_cpu_supports("avx512f")},
                 {"avx512bw", __builtin_cpu_supports("avx512bw")},
                 {"avx512dq", __builtin_cpu_supports("avx512dq")},
                 {"avx512vl", __builtin_cpu_supports("avx512vl")},
                 {"avx512vbmi", __builtin_cpu_supports("avx512vbmi")},
                 {"avx512vnni", __builtin_cpu_supports("avx512vnni")}};
    for (; *instructions; instructions++)
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (!strcmp(known[i].name, *instructions) && !known[i].here) return *instructions;
#else
    (void)instructions;
#endif
    return NULL;
}
