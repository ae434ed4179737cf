/* database.c - opens and closes the journal's file: the folder's lock, the choice between WAL and rollback journal, and
 * reading a run without leaving a trace in its folder. It must not know the tables.
 *
 * Who may do what
 *   A writer holds an exclusive lock on FOLDER/lock for as long as its handle is open; the kernel drops it when the
 *   process dies, however it dies. The lock belongs to the open file, not to the process, so that a second handle in
 *   the same process is refused as well.
 *   A reader takes no part in that lock. SQLite's own locks keep it consistent with a live writer. Who must have a run
 *   stand still while it is read (cord merge) holds the same lock, shared.
 *
 * Leaving no trace: a reader of a WAL journal would make -wal and -shm files if they are missing. So a writer that
 * closes goes back to a rollback journal, after which one file is all there is; and a reader takes a -shm file as it is
 * (readonly_shm), be its writer alive or dead. Where another program (sqlite3) looked into a dead writer's journal, it has put
 * the log into the file and removed both: such a file is read as one that does not change, and the lock sees to that. Without a
 * lock it is half of a copied folder, which nobody shall take for the whole. */
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

cord_status database_make_folder(const char *folder, cord_error *err) {
    char path[4096];
    struct stat info;
    size_t len = strlen(folder);
    if (!len || len >= sizeof path)
        return error_set(err, CORD_BAD_RECIPE, "the run folder's name is empty or too long");
    memcpy(path, folder, len + 1);
    for (char *slash = path + 1;; slash++) {
        if (*slash && *slash != '/') continue;
        char end = *slash;
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) return error_errno(err, "make the folder", path);
        if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode))
            return error_set(err, CORD_BAD_RECIPE,
                             "%s is a file, and a run needs a folder; name another one as run.out", path);
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

/* FOLDER/lock; false where the folder's name is too long to be one. */
static bool lock_path(const char *folder, char path[4096]) {
    return (size_t)snprintf(path, 4096, "%s/lock", folder) < 4096;
}

static cord_status take_lock(struct journal *j, const char *folder, cord_error *err) {
    char path[4096];
    if (!lock_path(folder, path)) return error_set(err, CORD_BAD_RECIPE, "the run folder's name is too long");
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

cord_status database_hold(const char *folder, int *lock, cord_error *err) {
    char path[4096];
    *lock = -1;
    if (!lock_path(folder, path)) return error_set(err, CORD_BAD_USAGE, "the run folder's name is too long");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? CORD_OK : error_errno(err, "open", path);
    struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        cord_status status = lock_refused(path, fd, err);
        close(fd);
        return status;
    }
    *lock = fd;
    return CORD_OK;
}

bool database_is_written(const struct journal *j) {
    char folder[4096];
    size_t len = strlen(j->path) - strlen("/journal.sqlite");
    int lock = -1;
    if (len >= sizeof folder) return false;
    memcpy(folder, j->path, len);
    folder[len] = '\0';
    bool written = database_hold(folder, &lock, NULL) == CORD_BUSY;
    if (lock >= 0) close(lock);
    return written;
}

/* ---- opening ------------------------------------------------------------------------------------------------- */

/* SQLite's "file:" name of a path, with the end that says how it is opened. Release `uri` in any case. */
static cord_status make_uri(struct buf *uri, const char *path, const char *query, cord_error *err) {
    buf_init(uri, "a file name", 1 << 16);
    buf_add(uri, text_of(*path == '/' ? "file://" : "file:"));
    for (; *path; path++) {
        if (strchr("%?#", *path))
            buf_addf(uri, "%%%02X", (unsigned)*path);
        else
            buf_addc(uri, *path);
    }
    buf_add(uri, text_of(query));
    return buf_check(uri, err);
}

/* Opens j->path. */
static cord_status open_file(struct journal *j, const char *query, int flags, cord_error *err) {
    struct buf uri;
    cord_status status = make_uri(&uri, j->path, query, err);
    if (status == CORD_OK) {
        int rc = sqlite3_open_v2(uri.data, &j->db, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
        status = !j->db ? error_memory(err) : rc == SQLITE_OK ? CORD_OK : query_error(j, "open the journal", err);
    }
    buf_release(&uri);
    if (status == CORD_OK) sqlite3_busy_timeout(j->db, WAIT_FOR_LOCKS_MS);
    return status;
}

/* Rounds are seconds apart, so each can afford to reach the disk (FULL): a power failure costs no more than a kill. */
static cord_status set_up(struct journal *j, bool wal, cord_error *err) {
    /* A WAL that was left behind elsewhere is read without memory shared with others, which is what is unsafe. */
    if (!wal) CORD_TRY(query_run(j, err, "PRAGMA locking_mode = EXCLUSIVE", ""));
    CORD_TRY(schema_check(j, true, err));
    j->ours = true;
    if (wal) {
        CORD_TRY(query_run(j, err, "PRAGMA journal_mode = WAL", ""));
    } else {
        CORD_TRY(query_run(j, err, "PRAGMA journal_mode = DELETE", ""));
        CORD_TRY(query_run(j, err, "PRAGMA locking_mode = NORMAL", ""));
        CORD_TRY(query_run(j, err, "SELECT count(*) FROM run", "")); /* only now is the lock let go */
    }
    CORD_TRY(query_run(j, err, "PRAGMA synchronous = FULL", ""));
    return query_run(j, err, "PRAGMA foreign_keys = ON", "");
}

static cord_status remove_journal(const char *path, cord_error *err) {
    static const char *const ends[] = {"-wal", "-shm", "-journal", ""};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *file;
        if (asprintf(&file, "%s%s", path, ends[i]) < 0) return error_memory(err);
        bool gone = unlink(file) == 0 || errno == ENOENT;
        if (!gone) error_errno(err, "remove", file);
        free(file);
        if (!gone) return CORD_IO_ERROR;
    }
    return CORD_OK;
}

/* Whether a journal's file says that it has a log, and has none. */
static bool lost_its_log(const char *path) {
    unsigned char head[20] = {0};
    char log[4200];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool has_log =
        fd >= 0 && pread(fd, head, sizeof head, 0) == sizeof head && head[18] == 2; /* SQLite's file format, 1.3 */
    if (fd >= 0) close(fd);
    if (!has_log || (size_t)snprintf(log, sizeof log, "%s-wal", path) >= sizeof log) return false;
    return stat(log, &info) != 0 ? errno == ENOENT : info.st_size == 0;
}

static cord_status refuse_half(const char *path, cord_error *err) {
    return error_set(
        err, CORD_IO_ERROR,
        "%s: its log, journal.sqlite-wal, is missing; the folder must be complete: copy all of it, with its lock",
        path);
}

static cord_status open_to_write(struct journal *j, const char *folder, unsigned long type, cord_error *err) {
    char lock[4096];
    if (j->mode == JOURNAL_WRITE && lock_path(folder, lock) && access(lock, F_OK) != 0 && lost_its_log(j->path))
        return refuse_half(j->path, err); /* before there is a lock, and it looks whole */
    CORD_TRY(database_make_folder(folder, err));
    CORD_TRY(take_lock(j, folder, err));
    struct statfs disk;
    if (statfs(folder, &disk) != 0) return error_errno(err, "look at the folder", folder);
    if (j->mode == JOURNAL_FRESH) CORD_TRY(remove_journal(j->path, err));
    j->mode = JOURNAL_WRITE;
    CORD_TRY(open_file(j, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err));
    return set_up(j, database_wal_is_safe(type ? type : (unsigned long)disk.f_type), err);
}

/* A live writer's shared memory is used as it is, a dead one's log is read without making any. */
#define READ_ONLY "?mode=ro&readonly_shm=1"
#define UNCHANGED "?mode=ro&immutable=1"

static cord_status open_to_read(struct journal *j, const char *folder, cord_error *err) {
    struct stat info;
    if (stat(folder, &info) != 0) return error_errno(err, "open the run folder", folder);
    if (!S_ISDIR(info.st_mode))
        return error_set(err, CORD_BAD_INPUT,
                         "%s is a file, and not a run folder; name the folder that holds a "
                         "journal.sqlite",
                         folder);
    if (stat(j->path, &info) != 0 && errno == ENOENT)
        return error_set(err, CORD_BAD_INPUT, "%s is not a run folder: there is no journal.sqlite in it", folder);
    bool lost = lost_its_log(j->path);
    if (lost && database_hold(folder, &j->lock, NULL) != CORD_OK) lost = false; /* who writes is about to make one */
    if (lost && j->lock < 0) return refuse_half(j->path, err);
    CORD_TRY(open_file(j, lost ? UNCHANGED : READ_ONLY, SQLITE_OPEN_READONLY, err));
    return schema_check(j, false, err);
}

static cord_status open_in(struct journal *j, const char *folder, unsigned long type, cord_error *err) {
    if (asprintf(&j->path, "%s/journal.sqlite", folder) < 0) {
        j->path = NULL; /* asprintf leaves it undefined */
        return error_memory(err);
    }
    return j->mode == JOURNAL_READ ? open_to_read(j, folder, err) : open_to_write(j, folder, type, err);
}

cord_status database_open(const char *folder, enum journal_mode mode, unsigned long type, struct journal **out,
                          cord_error *err) {
    struct journal *j = calloc(1, sizeof *j);
    if (!j) return error_memory(err);
    j->mode = mode;
    j->lock = -1;
    pthread_mutex_init(&j->mutex, NULL);
    cord_status status = open_in(j, folder, type, err);
    if (status == CORD_OK)
        *out = j;
    else
        journal_close(j);
    return status;
}

const char *const run_files[] = {"journal.sqlite", "lock", "recipe.yaml", "summary.json", "trajectories.jsonl", NULL};

cord_status journal_open(const char *folder, enum journal_mode mode, struct journal **out, cord_error *err) {
    return database_open(folder, mode, 0, out, err);
}

cord_status database_attach(struct journal *j, const char *folder, cord_error *err) {
    char *path;
    struct buf uri;
    if (asprintf(&path, "%s/journal.sqlite", folder) < 0) return error_memory(err);
    cord_status status = make_uri(&uri, path, lost_its_log(path) ? UNCHANGED : READ_ONLY, err);
    j->attached = folder;
    if (status == CORD_OK) status = query_run(j, err, "ATTACH ?1 AS source", "s", uri.data);
    buf_release(&uri);
    free(path);
    return status;
}

cord_status database_detach(struct journal *j, cord_error *err) {
    CORD_TRY(query_run(j, err, "DETACH source", ""));
    j->attached = NULL;
    return CORD_OK;
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
    pthread_mutex_destroy(&j->mutex);
    free(j->path);
    free(j);
}

void journal_lock(struct journal *j) { pthread_mutex_lock(&j->mutex); }

void journal_unlock(struct journal *j) { pthread_mutex_unlock(&j->mutex); }
