/* database.c - opens and closes the journal's file: the folder's lock, the choice between WAL and rollback journal, and
 * reading a run without leaving a trace in its folder. It must not know the tables.
 *
 * Who may do what
 *   A writer holds an exclusive lock on FOLDER/lock for as long as its handle is open; the kernel drops it when the
 *   process dies, however it dies. The lock belongs to the open file, not to the process, so that a second handle in
 *   the same process is refused as well.
 *   A reader takes no part in that lock. SQLite's own locks keep it consistent with a live writer.
 *
 * Leaving no trace: a reader of a WAL journal would make -wal and -shm files if they are missing. So a writer that
 * closes goes back to a rollback journal, after which one file is all there is; and a reader takes a -shm file as it is
 * (readonly_shm), be its writer alive or dead. */
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { WAIT_FOR_LOCKS_MS = 10000 };

bool database_wal_is_safe(unsigned long type) {
    static const unsigned long unsafe[] = {
        0x6969,     /* NFS */
        0x517B,     /* SMB */
        0xFF534D42, /* CIFS */
        0xFE534D42, /* SMB2 */
        0x65735546, /* FUSE: sshfs, s3fs and so on */
        0x01021997, /* 9p: WSL, virtual machines' shared folders */
        0x5346414F, /* AFS */
        0x6B414653, /* kAFS */
        0x73757245, /* Coda */
        0x00C36400, /* Ceph */
        0x0BD00BD0, /* Lustre */
        0x47504653, /* GPFS */
        0x19830326, /* BeeGFS */
        0x01161970, /* GFS2 */
        0x7461636F, /* OCFS2 */
        0x786F4256, /* VirtualBox shared folders */
        0xBACBACBC, /* VMware shared folders */
    };
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
        if ((type & 0xFFFFFFFF) == unsafe[i]) return false;
    return true;
}

/* ---- the folder and its lock --------------------------------------------------------------------------------- */

static cord_status make_folder(const char *folder, cord_error *err) {
    char path[4096];
    size_t len = strlen(folder);
    if (!len || len >= sizeof path)
        return error_set(err, CORD_BAD_RECIPE, "the run folder's name is empty or too long");
    memcpy(path, folder, len + 1);
    for (char *slash = path + 1;; slash++) {
        if (*slash && *slash != '/') continue;
        char end = *slash;
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) return error_errno(err, "make the folder", path);
        if (!end) return CORD_OK;
        *slash = end;
    }
}

/* The process id in the lock's file, or 0. */
static long lock_holder(int fd) {
    char text[24] = "";
    return pread(fd, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static cord_status lock_refused(const char *path, int fd, cord_error *err) {
    error_where(err, "%s", path);
    if (errno != EAGAIN && errno != EACCES)
        return error_set(err, CORD_IO_ERROR,
                         "this file system has no locks (%s), so two runs could destroy each other's work; "
                         "choose a run folder on a local disk",
                         strerror(errno));
    long pid = lock_holder(fd);
    if (pid <= 0) return error_set(err, CORD_BUSY, "another process is running in this folder; wait for it or stop it");
    return error_set(err, CORD_BUSY,
                     "process %ld is running in this folder; wait for it, or stop it with: kill -INT %ld", pid, pid);
}

static cord_status take_lock(struct journal *j, const char *folder, cord_error *err) {
    char path[4096 + sizeof "/lock"]; /* make_folder has measured the folder's name */
    snprintf(path, sizeof path, "%s/lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return error_errno(err, "open", path);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        cord_status status = lock_refused(path, fd, err);
        close(fd);
        return status;
    }
    j->lock = fd;
    char pid[24];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n) return error_errno(err, "write", path);
    return CORD_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------------- */

static cord_status open_file(struct journal *j, const char *name, int flags, cord_error *err) {
    int rc = sqlite3_open_v2(name, &j->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (!j->db) return error_memory(err);
    if (rc != SQLITE_OK) return query_error(j, "open the journal", err);
    sqlite3_busy_timeout(j->db, WAIT_FOR_LOCKS_MS);
    return CORD_OK;
}

/* Rounds are seconds apart, so each can afford to reach the disk (FULL): a power failure costs no more than a kill. */
static cord_status open_to_write(struct journal *j, const char *folder, cord_error *err) {
    struct statfs disk;
    if (statfs(folder, &disk) != 0) return error_errno(err, "look at the folder", folder);
    CORD_TRY(open_file(j, j->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err));
    CORD_TRY(schema_check(j, true, err));
    j->ours = true;
    if (database_wal_is_safe((unsigned long)disk.f_type))
        CORD_TRY(query_run(j, err, "PRAGMA journal_mode = WAL", ""));
    else
        CORD_TRY(query_run(j, err, "PRAGMA journal_mode = DELETE", ""));
    CORD_TRY(query_run(j, err, "PRAGMA synchronous = FULL", ""));
    return query_run(j, err, "PRAGMA foreign_keys = ON", "");
}

/* SQLite's "file:" name of a path. */
static void add_uri(struct buf *out, const char *path) {
    buf_add(out, text_of(*path == '/' ? "file://" : "file:"));
    for (; *path; path++) {
        if (strchr("%?#", *path))
            buf_addf(out, "%%%02X", (unsigned)*path);
        else
            buf_addc(out, *path);
    }
}

static cord_status open_to_read(struct journal *j, const char *folder, cord_error *err) {
    struct stat info;
    if (stat(folder, &info) != 0) return error_errno(err, "open the run folder", folder);
    if (stat(j->path, &info) != 0 && errno == ENOENT)
        return error_set(err, CORD_BAD_INPUT, "%s is not a run folder: there is no journal.sqlite in it", folder);
    struct buf uri;
    buf_init(&uri, "a file name", 1 << 16);
    add_uri(&uri, j->path);
    buf_add(&uri, TEXT("?mode=ro&readonly_shm=1"));
    cord_status status = buf_check(&uri, err);
    if (status == CORD_OK) status = open_file(j, uri.data, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
    buf_release(&uri);
    return status == CORD_OK ? schema_check(j, false, err) : status;
}

static cord_status open_in(struct journal *j, const char *folder, cord_error *err) {
    if (asprintf(&j->path, "%s/journal.sqlite", folder) < 0) {
        j->path = NULL; /* asprintf leaves it undefined */
        return error_memory(err);
    }
    if (j->mode == JOURNAL_READ) return open_to_read(j, folder, err);
    CORD_TRY(make_folder(folder, err));
    CORD_TRY(take_lock(j, folder, err));
    return open_to_write(j, folder, err);
}

cord_status journal_open(const char *folder, enum journal_mode mode, struct journal **out, cord_error *err) {
    struct journal *j = calloc(1, sizeof *j);
    if (!j) return error_memory(err);
    j->mode = mode;
    j->lock = -1;
    cord_status status = open_in(j, folder, err);
    if (status == CORD_OK)
        *out = j;
    else
        journal_close(j);
    return status;
}

void journal_close(struct journal *j) {
    if (!j) return;
    for (int i = 0; i < j->n_cached; i++) sqlite3_finalize(j->cached[i].stmt);
    /* one file is all that stays, unless a reader is looking right now; then the logs stay, and nothing is lost
     * either */
    if (j->ours) {
        sqlite3_busy_timeout(j->db, 0);
        sqlite3_exec(j->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    }
    sqlite3_close(j->db);
    if (j->lock >= 0) {
        /* the process id goes before the lock does: nobody shall be told of a process that is gone */
        if (ftruncate(j->lock, 0) != 0) {} /* only a message's detail */
        close(j->lock);
    }
    free(j->path);
    free(j);
}
