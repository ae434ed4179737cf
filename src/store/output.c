/* output.c - whole files or none, and a run's files by name; see output.h. It must not know what is written. */
#include "store/output.h"

#include "store/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- which file a path is ------------------------------------------------------------------------------------ */

struct place {
    bool there, shared; /* shared: a pipe or a device, that several may write to */
    struct stat file, folder;
    char name[256];
};

/* Where a path leads, symbolic links followed; false where there is not even a folder for it. */
static bool find_place(const char *path, struct place *place) {
    *place = (struct place){0};
    place->there = stat(path, &place->file) == 0;
    place->shared = place->there && !S_ISREG(place->file.st_mode);
    if (place->shared) return true;
    char *full = place->there ? realpath(path, NULL) : strdup(path), *slash = full ? strrchr(full, '/') : NULL;
    const char *name = slash ? slash + 1 : full ? full : "";
    bool fits = *name && (size_t)snprintf(place->name, sizeof place->name, "%s", name) < sizeof place->name;
    if (slash) slash[1] = '\0';
    bool found = fits && stat(slash ? full : ".", &place->folder) == 0;
    free(full);
    return found;
}

static bool same_inode(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool output_same(const char *a, const char *b) {
    struct place one, other;
    bool found = find_place(a, &one);
    if (!find_place(b, &other) || !found) return strcmp(a, b) == 0;
    if (one.shared || other.shared) return false;
    if (one.there && other.there && same_inode(&one.file, &other.file)) return true;
    return strcmp(one.name, other.name) == 0 && same_inode(&one.folder, &other.folder);
}

bool output_is_of_run(const char *path) {
    char journal[4200];
    char *full = realpath(path, NULL);
    const char *at = full ? full : path, *slash = strrchr(at, '/'), *name = slash ? slash + 1 : at;
    int folder = (int)(name - at);
    bool runs = (size_t)snprintf(journal, sizeof journal, "%.*s%s", folder, at, run_files[0]) < sizeof journal &&
                access(journal, F_OK) == 0;
    bool ours = text_starts(text_of(name), text_of(run_files[0]));
    for (int i = 0; run_files[i]; i++) ours = ours || strcmp(name, run_files[i]) == 0;
    free(full);
    return runs && ours;
}

static bool is_draft(const char *name) {
    bool ours = false;
    for (int i = 0; run_files[i]; i++) ours |= text_starts(text_of(name), text_of(run_files[i]));
    return ours && text_ends(text_of(name), TEXT(".tmp"));
}

void output_clear_drafts(const char *folder) {
    DIR *files = opendir(folder);
    for (struct dirent *file; files && (file = readdir(files));)
        if (is_draft(file->d_name)) unlinkat(dirfd(files), file->d_name, 0); /* what stays does no harm */
    if (files) closedir(files);
}

const char *run_file_of(const char *folder, const char *path) {
    const char *found = NULL;
    for (size_t i = 0; run_files[i] && !found; i++) {
        char *own;
        if (asprintf(&own, "%s/%s", folder, run_files[i]) < 0) return NULL;
        if (output_same(path, own)) found = run_files[i];
        free(own);
    }
    return found;
}

cord_status output_spare_runs(const char *option, const char *path, const char *const *folders, int n,
                              cord_error *err) {
    bool ours = output_is_of_run(path);
    for (int i = 0; i < n && !ours; i++) ours = run_file_of(folders[i], path) != NULL;
    if (!ours) return CORD_OK;
    return error_set(err, CORD_BAD_USAGE, "%s would write over %s, which is a run's own file; name another file",
                     option, path);
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

static void forget(struct output *o) {
    free(o->path);
    free(o->draft);
    *o = (struct output){0};
}

cord_status output_open(struct output *o, const char *path, cord_error *err) {
    struct stat info;
    bool there = stat(path, &info) == 0, file = there && S_ISREG(info.st_mode);
    /* what /dev/stdout and /dev/fd/63 lead to where that is a pipe has no path */
    *o = (struct output){.path = file ? realpath(path, NULL) : strdup(path)};
    if (file && !o->path) return error_errno(err, "find", path);
    bool memory = o->path != NULL;
    if (memory && (!there || file)) {
        memory = asprintf(&o->draft, "%s.%ld.tmp", o->path, (long)getpid()) >= 0;
        if (!memory) o->draft = NULL; /* asprintf leaves it undefined */
    }
    if (memory) o->file = fopen(o->draft ? o->draft : o->path, "wb");
    if (o->file && o->draft) file_keep_mode(o->draft, o->path);
    if (o->file) return CORD_OK;
    cord_status status = memory ? error_errno(err, "write", path) : error_memory(err);
    forget(o);
    return status;
}

/* Pipes and devices cannot be flushed to a disk, and need not be. */
static bool flush(struct output *o) {
    return !ferror(o->file) && fflush(o->file) == 0 && (!o->draft || fsync(fileno(o->file)) == 0);
}

cord_status output_sync(const struct output *o, cord_error *err) {
    int fd = o->draft ? open(o->draft, O_RDONLY | O_CLOEXEC)
                      : -1; /* what stands there now: a Parquet file, once it is made */
    bool good = !o->draft || (fd >= 0 && fsync(fd) == 0);
    if (!good) error_errno(err, "write", o->path);
    if (fd >= 0) close(fd);
    return good ? CORD_OK : CORD_IO_ERROR;
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
