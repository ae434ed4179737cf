/* output.c - whole files or none, and a run's files by name; see output.h. It must not know what is written. */
#include "store/output.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(struct output *o) {
    free(o->path);
    free(o->draft);
    *o = (struct output){0};
}

cord_status output_open(struct output *o, const char *path, cord_error *err) {
    struct stat info;
    bool there = stat(path, &info) == 0;
    *o = (struct output){.path = there ? realpath(path, NULL) : strdup(path)};
    if (there && !o->path) return error_errno(err, "find", path);
    bool memory = o->path != NULL;
    if (memory && (!there || S_ISREG(info.st_mode))) {
        memory = asprintf(&o->draft, "%s.%ld.tmp", o->path, (long)getpid()) >= 0;
        if (!memory) o->draft = NULL; /* asprintf leaves it undefined */
    }
    if (memory) o->file = fopen(o->draft ? o->draft : o->path, "wb");
    if (o->file) return CORD_OK;
    cord_status status = memory ? error_errno(err, "write", path) : error_memory(err);
    forget(o);
    return status;
}

/* Pipes and devices cannot be flushed to a disk, and need not be. */
static bool flush(struct output *o) {
    return !ferror(o->file) && fflush(o->file) == 0 && (!o->draft || fsync(fileno(o->file)) == 0);
}

cord_status output_close(struct output *o, cord_status status, cord_error *err) {
    if (status == CORD_OK && !flush(o)) status = error_errno(err, "write", o->path);
    if (fclose(o->file) != 0 && status == CORD_OK) status = error_errno(err, "write", o->path);
    if (o->draft && status == CORD_OK && rename(o->draft, o->path) != 0) status = error_errno(err, "write", o->path);
    if (o->draft && status != CORD_OK) unlink(o->draft);
    if (o->draft && status == CORD_OK) file_sync_folder(o->path);
    forget(o);
    return status;
}

const char *const run_files[] = {"journal.sqlite", "lock", "recipe.yaml", "summary.json", "trajectories.jsonl", NULL};

const char *run_file_of(const char *folder, const char *file) {
    struct stat given, own;
    const char *found = NULL;
    if (stat(file, &given) != 0) return NULL;
    for (size_t i = 0; run_files[i] && !found; i++) {
        char *path;
        if (asprintf(&path, "%s/%s", folder, run_files[i]) < 0) return NULL;
        if (stat(path, &own) == 0 && own.st_dev == given.st_dev && own.st_ino == given.st_ino) found = run_files[i];
        free(path);
    }
    return found;
}
