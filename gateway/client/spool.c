#include "client/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/digest.h"

#define PATH_SIZE 512
#define GROUP_MAX 128 /* files open at once */

struct spool {
    char path[PATH_SIZE];
    int lock;
    int folders[SPOOL_FOLDERS]; /* descriptors */
    uint8_t secret[SPOOL_SEED_SIZE];
};

static const char *const folder_names[SPOOL_FOLDERS] = {
    "outbox", "answered", "receipts", "inbox", "exchanges",
    "parked", "rejected", "evidence", "aside",
};

static enum rc failed_at(const struct spool *spool, const char *what, const char *name)
{
    return failed(RC_UNAVAILABLE, "spool.failed", "what=%s path=%s/%s cause=%s", what, spool->path,
                  name, strerror(errno));
}

static enum rc write_all(int file, struct bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t n = write(file, bytes.data, bytes.size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return RC_UNAVAILABLE;
        }
        bytes.data += n;
        bytes.size -= (size_t)n;
    }
    return RC_OK;
}

/* Under a temporary name in the folder; the name becomes real by rename. */
static enum rc write_temporary(int folder, const char *name, struct bytes bytes)
{
    int file = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum rc rc;

    if (file < 0) {
        return RC_UNAVAILABLE;
    }
    rc = write_all(file, bytes);
    if (rc == RC_OK && fdatasync(file) != 0) {
        rc = RC_UNAVAILABLE;
    }
    if (close(file) != 0) {
        rc = RC_UNAVAILABLE;
    }
    return rc;
}

static enum rc put_file(int folder, const char *name, struct bytes bytes)
{
    char temporary[ID_TEXT_SIZE + 16];

    snprintf(temporary, sizeof temporary, ".%s.part", name);
    TRY(write_temporary(folder, temporary, bytes));
    return renameat(folder, temporary, folder, name) == 0 ? RC_OK : RC_UNAVAILABLE;
}

static enum rc read_file(int folder, const char *name, struct buffer *into)
{
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    uint8_t chunk[16384];
    ssize_t n;

    if (file < 0) {
        return errno == ENOENT ? RC_NOT_FOUND : RC_DATA_LOSS;
    }
    buffer_clear(into);
    while ((n = read(file, chunk, sizeof chunk)) > 0 && into->size <= SPOOL_FILE_MAX) {
        buffer_put(into, chunk, (size_t)n);
    }
    close(file);
    explicit_bzero(chunk, sizeof chunk);
    return n == 0 && !into->is_failed ? RC_OK : RC_DATA_LOSS;
}

static enum rc open_secret(struct spool *spool, int folder)
{
    OWN(buffer) text = {0};
    enum rc rc = read_file(folder, "secret", &text);

    if (rc == RC_NOT_FOUND) {
        random_fill(spool->secret, sizeof spool->secret);
        if (put_file(folder, "secret", BYTES_OF(spool->secret)) != RC_OK || fsync(folder) != 0) {
            return failed_at(spool, "secret", "secret");
        }
        return RC_OK;
    }
    if (rc != RC_OK || text.size != sizeof spool->secret) {
        return failed(RC_DATA_LOSS, "spool.failed", "what=secret path=%s/secret", spool->path);
    }
    memcpy(spool->secret, text.data, text.size);
    explicit_bzero(text.data, text.size);
    return RC_OK;
}

/* What a crash left half written was never promised to anybody. */
static void sweep(const struct spool *spool, enum spool_folder folder)
{
    int again = openat(spool->folders[folder], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = again >= 0 ? fdopendir(again) : NULL;

    if (listing == NULL) {
        if (again >= 0) {
            close(again);
        }
        return;
    }
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        size_t length = strlen(entry->d_name);

        if (entry->d_name[0] == '.' && length > 6 &&
            strcmp(entry->d_name + length - 5, ".part") == 0) {
            (void)unlinkat(spool->folders[folder], entry->d_name, 0);
        }
    }
    closedir(listing);
}

static enum rc open_folders(struct spool *spool, int base)
{
    for (size_t i = 0; i < SPOOL_FOLDERS; i++) {
        if (mkdirat(base, folder_names[i], 0700) != 0 && errno != EEXIST) {
            return failed_at(spool, "mkdir", folder_names[i]);
        }
        spool->folders[i] = openat(base, folder_names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (spool->folders[i] < 0) {
            return failed_at(spool, "open", folder_names[i]);
        }
        sweep(spool, (enum spool_folder)i);
    }
    return fsync(base) == 0 ? RC_OK : failed_at(spool, "fsync", "");
}

/* Each folder on the way, like mkdir -p. */
static enum rc make_path(const char *path)
{
    char part[PATH_SIZE];

    for (size_t i = 1; path[i - 1] != '\0'; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return RC_UNAVAILABLE;
        }
    }
    return RC_OK;
}

static enum rc open_all(struct spool *spool, struct fault *fault)
{
    int base = make_path(spool->path) == RC_OK
                   ? open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                   : -1;
    enum rc rc = RC_FAILED_PRECONDITION;

    if (base >= 0) {
        spool->lock = openat(base, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (spool->lock >= 0 && flock(spool->lock, LOCK_EX | LOCK_NB) != 0) {
            close(base);
            return refuse(fault, RC_UNAVAILABLE, "spool.busy", spool->path,
                          "Otro programa usa esta carpeta; deténgalo o use otro perfil.");
        }
        rc = spool->lock >= 0 ? open_folders(spool, base) : RC_FAILED_PRECONDITION;
        rc = rc == RC_OK ? open_secret(spool, base) : rc;
        close(base);
    }
    return rc == RC_OK ? RC_OK
                       : refuse(fault, RC_FAILED_PRECONDITION, "spool.unusable", spool->path,
                                "No se puede usar la carpeta; revise que exista, que sea suya y "
                                "que haya espacio en disco.");
}

enum rc spool_open(const char *path, struct spool **spool, struct fault *fault)
{
    OWN_PTR(spool) made = calloc(1, sizeof *made);

    if (made == NULL || strlen(path) == 0 || strlen(path) >= sizeof made->path) {
        return refuse(fault, RC_FAILED_PRECONDITION, "spool.unusable", path,
                      "Falta la carpeta (spool) en el perfil, o su ruta es demasiado larga.");
    }
    snprintf(made->path, sizeof made->path, "%s", path);
    made->lock = -1;
    for (size_t i = 0; i < SPOOL_FOLDERS; i++) {
        made->folders[i] = -1;
    }
    TRY(open_all(made, fault));
    *spool = MOVE(made);
    return RC_OK;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL) {
        return;
    }
    for (size_t i = 0; i < SPOOL_FOLDERS; i++) {
        if (spool->folders[i] >= 0) {
            close(spool->folders[i]);
        }
    }
    if (spool->lock >= 0) {
        close(spool->lock);
    }
    explicit_bzero(spool->secret, sizeof spool->secret);
    free(spool);
}

const char *spool_path(const struct spool *spool)
{
    return spool->path;
}

/* A file of a group on its way to the disk. */
struct writing {
    char temporary[ID_TEXT_SIZE + 16];
    char name[ID_TEXT_SIZE];
    int file;
};

static enum rc write_begin(int folder, const struct spool_entry *entry, struct writing *writing)
{
    id_format(&entry->id, writing->name);
    snprintf(writing->temporary, sizeof writing->temporary, ".%s.part", writing->name);
    writing->file =
        openat(folder, writing->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return writing->file >= 0 ? write_all(writing->file, entry->bytes) : RC_UNAVAILABLE;
}

/* All written before the first is synced: where there is a journal, one commit serves them all. */
static enum rc write_group(struct spool *spool, const struct spool_entry *entries,
                           struct writing *writings, size_t count)
{
    enum rc rc = RC_OK;
    size_t begun = 0;

    for (; rc == RC_OK && begun < count; begun++) {
        rc = write_begin(spool->folders[entries[begun].folder], &entries[begun], &writings[begun]);
    }
    for (size_t i = 0; i < begun; i++) {
        int folder = spool->folders[entries[i].folder];
        bool is_open = writings[i].file >= 0;

        if (rc == RC_OK && fdatasync(writings[i].file) != 0) {
            rc = RC_UNAVAILABLE;
        }
        if (is_open && close(writings[i].file) != 0) {
            rc = RC_UNAVAILABLE;
        }
        if (rc == RC_OK && renameat(folder, writings[i].temporary, folder, writings[i].name) != 0) {
            rc = RC_UNAVAILABLE;
        }
    }
    return rc == RC_OK ? RC_OK : failed_at(spool, "store", writings[begun - 1].name);
}

enum rc spool_store(struct spool *spool, const struct spool_entry *entries, size_t count)
{
    bool is_touched[SPOOL_FOLDERS] = {false};
    struct writing writings[GROUP_MAX];

    for (size_t done = 0; done < count; done += GROUP_MAX) {
        size_t group = count - done < GROUP_MAX ? count - done : GROUP_MAX;

        TRY(write_group(spool, entries + done, writings, group));
    }
    for (size_t i = 0; i < count; i++) {
        is_touched[entries[i].folder] = true;
    }
    for (size_t i = 0; i < SPOOL_FOLDERS; i++) {
        if (is_touched[i] && fsync(spool->folders[i]) != 0) {
            return failed_at(spool, "fsync", folder_names[i]);
        }
    }
    return RC_OK;
}

enum rc spool_read(const struct spool *spool, enum spool_folder folder, const struct id *id,
                   struct buffer *into)
{
    char name[ID_TEXT_SIZE];

    id_format(id, name);
    return read_file(spool->folders[folder], name, into);
}

bool spool_has(const struct spool *spool, enum spool_folder folder, const struct id *id)
{
    char name[ID_TEXT_SIZE];

    id_format(id, name);
    return faccessat(spool->folders[folder], name, F_OK, 0) == 0;
}

void spool_remove(struct spool *spool, enum spool_folder folder, const struct id *id)
{
    char name[ID_TEXT_SIZE];

    id_format(id, name);
    if (unlinkat(spool->folders[folder], name, 0) != 0 && errno != ENOENT) {
        (void)failed_at(spool, "remove", name);
    }
}

void spool_move(struct spool *spool, enum spool_folder from, enum spool_folder to,
                const struct id *id)
{
    char name[ID_TEXT_SIZE];

    id_format(id, name);
    if (renameat(spool->folders[from], name, spool->folders[to], name) != 0 && errno != ENOENT) {
        (void)failed_at(spool, "move", name);
    }
}

static enum rc put_why(struct spool *spool, enum spool_folder folder, const char *name,
                       const struct fault *why)
{
    OWN(buffer) text = {0};
    char beside[ID_TEXT_SIZE + 8];

    snprintf(beside, sizeof beside, "%s.why", name);
    buffer_print(&text, "%s %s %s\n%s\n", rc_name(why->rc), why->reason, why->path, why->remedy);
    return put_file(spool->folders[folder], beside, buffer_bytes(&text));
}

void spool_park(struct spool *spool, const struct id *id, const struct fault *why)
{
    char name[ID_TEXT_SIZE];

    id_format(id, name);
    if (put_why(spool, SPOOL_PARKED, name, why) != RC_OK ||
        renameat(spool->folders[SPOOL_OUTBOX], name, spool->folders[SPOOL_PARKED], name) != 0 ||
        fsync(spool->folders[SPOOL_PARKED]) != 0) {
        (void)failed_at(spool, "park", name);
    }
}

enum rc spool_reject(struct spool *spool, enum spool_folder folder, const struct id *id,
                     struct bytes message, const struct fault *why)
{
    struct spool_entry entry = {folder, *id, message};
    char name[ID_TEXT_SIZE];

    id_format(id, name);
    TRY(put_why(spool, folder, name, why));
    return spool_store(spool, &entry, 1);
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct id));
}

static enum rc add_id(struct spool_ids *ids, size_t *room, const char *name)
{
    struct id id;

    if (id_parse(name, &id) != RC_OK) {
        return RC_OK; /* a temporary name, a .why */
    }
    if (ids->count == *room) {
        struct id *items = realloc(ids->items, (*room * 2 + 64) * sizeof *items);

        if (items == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
        ids->items = items;
        *room = *room * 2 + 64;
    }
    ids->items[ids->count++] = id;
    return RC_OK;
}

enum rc spool_list(const struct spool *spool, enum spool_folder folder, struct spool_ids *ids)
{
    int again = openat(spool->folders[folder], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = again >= 0 ? fdopendir(again) : NULL;
    OWN(spool_ids) found = {0};
    size_t room = 0;
    enum rc rc = RC_OK;

    if (listing == NULL) {
        if (again >= 0) {
            close(again);
        }
        return failed_at(spool, "list", folder_names[folder]);
    }
    for (struct dirent *entry; rc == RC_OK && (entry = readdir(listing)) != NULL;) {
        rc = add_id(&found, &room, entry->d_name);
    }
    closedir(listing);
    TRY(rc);
    if (found.count > 0) {
        qsort(found.items, found.count, sizeof found.items[0], compare_ids);
    }
    *ids = found;
    found = (struct spool_ids){0};
    return RC_OK;
}

void spool_ids_release(struct spool_ids *ids)
{
    free(ids->items);
    *ids = (struct spool_ids){0};
}

void spool_seed(const struct spool *spool, const struct bytes *parts, size_t count,
                uint8_t seed[SPOOL_SEED_SIZE])
{
    hmac_of(BYTES_OF(spool->secret), parts, count, seed);
}
