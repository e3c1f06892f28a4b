#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/durable.h"
#include "store/fileset.h"
#include "store/vault.h"

/* At the start: an unfinished file waits again; one without a readable key is worth nothing. */
static enum rc found_part(struct files *files, const struct filename *name, int folder)
{
    struct part *part = NULL;
    struct filekey key;
    struct stat status;
    enum rc rc = filekey_read(files->keys, files->vault, name, &key);

    if (rc == RC_NOT_FOUND) {
        return files_remove(files, name);
    }
    if (rc != RC_OK || files->part_count == FILES_PARTS_MAX) {
        log_warn("files.left", "file=%s", name->hex);
        return RC_OK;
    }
    rc = part_add(files, name, &key, &part);
    if (rc == RC_OK && fstatat(folder, name->hex, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        part->touched_ms = (int64_t)status.st_mtim.tv_sec * 1000;
    }
    filekey_wipe(&key);
    return rc;
}

/* A crash in the middle of a removal leaves blocks without header. */
static enum rc found_kept(struct files *files, const struct filename *name, int folder)
{
    (void)folder;
    return files_lacks(files->keys, name) ? files_remove(files, name) : RC_OK;
}

/* A crash after the header and before the blocks. */
static enum rc found_key(struct files *files, const struct filename *name, int folder)
{
    (void)folder;
    return files_lacks(files->part, name) && files_lacks(files->kept, name)
               ? files_remove(files, name)
               : RC_OK;
}

static enum rc look(struct files *files, int folder,
                    enum rc (*found)(struct files *, const struct filename *, int))
{
    struct filename *names = NULL;
    size_t count = 0;
    enum rc rc;

    TRY(files_list(folder, &names, &count));
    rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        rc = found(files, &names[i], folder);
    }
    free(names);
    return rc;
}

static enum rc open_folders(const char *folder, struct files *files)
{
    struct stat status;

    TRY(durable_folder(AT_FDCWD, folder, false, &files->root));
    if (fstat(files->root, &status) != 0 || status.st_uid != geteuid() ||
        (status.st_mode & 077) != 0) {
        return failed(RC_FAILED_PRECONDITION, "files.refused", "folder=%s remedy=\"chmod 0700\"",
                      folder);
    }
    TRY(durable_folder(files->root, "keys", true, &files->keys));
    TRY(durable_folder(files->root, "part", true, &files->part));
    TRY(durable_folder(files->root, "kept", true, &files->kept));
    TRY(durable_tidy(files->keys));
    TRY(look(files, files->part, found_part));
    TRY(look(files, files->kept, found_kept));
    return look(files, files->keys, found_key);
}

enum rc files_open(const char *folder, struct vault *vault, const struct files_limits *limits,
                   struct files **files)
{
    OWN_PTR(files) opened = NULL;

    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return durable_failed("files.folder", folder);
    }
    opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "files.memory", "folder=%s", folder);
    }
    opened->vault = vault;
    opened->limits = *limits;
    opened->root = opened->keys = opened->part = opened->kept = -1;
    pthread_mutex_init(&opened->lock, NULL);
    TRY(open_folders(folder, opened));
    *files = MOVE(opened);
    return RC_OK;
}

void files_free(struct files *files)
{
    if (files == NULL) {
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        const int fds[] = {files->root, files->keys, files->part, files->kept};

        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    while (files->parts != NULL) {
        part_unlist(files, files->parts);
    }
    pthread_mutex_destroy(&files->lock);
    free(files);
}

static enum rc check_claim(const struct file_claim *claim, struct fault *fault)
{
    size_t owner = strnlen(claim->owner, FILES_MEMBER_MAX + 1);

    if (claim->size == 0 || claim->size > FILES_SIZE_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "attachment.size", "attachment.size",
                      "Un archivo lleva de 1 a %llu bytes.", (unsigned long long)FILES_SIZE_MAX);
    }
    if (owner == 0 || owner > FILES_MEMBER_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    return RC_OK;
}

static enum rc check_budget(const struct files *files, const char *owner, struct fault *fault)
{
    unsigned count = 0;

    for (const struct part *part = files->parts; part != NULL; part = part->next) {
        count += strcmp(part->owner, owner) == 0;
    }
    if (count >= files->limits.parts_per_owner_max || files->part_count >= FILES_PARTS_MAX) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "attachment.unfinished", "",
                      "Hay demasiados archivos a medio enviar; termine alguno e intente de nuevo.");
    }
    return RC_OK;
}

static enum rc refuse_existing(struct fault *fault)
{
    return refuse(fault, RC_ALREADY_EXISTS, "attachment.exists", "attachment.id",
                  "Ya existe un archivo con ese identificador.");
}

/* Nothing at all, or what no key opens any more; with the lock held, not in the list. */
static bool is_leftover(struct files *files, const struct filename *name)
{
    return files_lacks(files->keys, name) || filekey_is_erased(files->keys, files->vault, name) ||
           (files_lacks(files->part, name) && files_lacks(files->kept, name));
}

/* With the lock held: the header is durable on return. */
static enum rc begin_new(struct files *files, const struct filename *name,
                         const struct file_claim *claim, const struct shard *shard,
                         struct part **part, struct fault *fault)
{
    struct filekey key = {.size = claim->size};
    enum rc rc;

    if (!is_leftover(files, name)) {
        return files_lacks(files->kept, name)
                   ? failed(RC_DATA_LOSS, "files.damaged", "file=%s", name->hex)
                   : refuse_existing(fault);
    }
    if (!shard_is_in_force(shard)) {
        return shard_is_erased(shard) ? RC_NOT_FOUND : RC_ABORTED;
    }
    TRY(check_budget(files, claim->owner, fault));
    TRY(files_room(files, claim->size, fault));
    rc = files_remove(files, name);
    if (rc != RC_NOT_FOUND) {
        TRY(rc);
    }
    random_fill(key.key, sizeof key.key);
    memcpy(key.sha256, claim->sha256, sizeof key.sha256);
    snprintf(key.owner, sizeof key.owner, "%s", claim->owner);
    rc = filekey_write(files->keys, files->vault, shard, name, &key);
    if (rc == RC_OK) {
        rc = part_add(files, name, &key, part);
    }
    filekey_wipe(&key);
    return rc;
}

static enum rc claim_part(struct files *files, const struct filename *name,
                          const struct file_claim *claim, const struct shard *shard,
                          struct part **part, struct fault *fault)
{
    struct part *found = part_find(files, name);

    if (found == NULL) {
        TRY(begin_new(files, name, claim, shard, &found, fault));
    } else if (found->is_open) {
        return refuse(fault, RC_ABORTED, "attachment.busy", "attachment.id",
                      "Otro envío del mismo archivo está en curso.");
    } else if (found->size != claim->size || strcmp(found->owner, claim->owner) != 0 ||
               !digest_equal(found->sha256, claim->sha256)) {
        return refuse_existing(fault);
    }
    found->is_open = true;
    *part = found;
    return RC_OK;
}

enum rc files_receive(struct files *files, const struct file_claim *claim,
                      const struct shard *shard, struct file_in **file, struct fault *fault)
{
    struct filename name;
    struct part *part = NULL;
    enum rc rc;

    TRY(filename_make(&claim->name, &name));
    TRY(check_claim(claim, fault));
    pthread_mutex_lock(&files->lock);
    rc = claim_part(files, &name, claim, shard, &part, fault);
    pthread_mutex_unlock(&files->lock);
    TRY(rc);
    return file_in_open(files, part, file, fault);
}

/* Opens a part that nobody has looked at since the start, to learn what of it is good. */
static enum rc verify_part(struct files *files, struct part *part)
{
    struct file_in *file = NULL;
    enum rc rc = file_in_open(files, part, &file, NULL);

    file_in_free(file);
    return rc == RC_INVALID_ARGUMENT ? RC_OK : rc; /* not what was announced: it is gone now */
}

static enum rc stat_kept(struct files *files, const struct filename *name, struct file_state *state)
{
    struct filekey key;

    if (files_lacks(files->kept, name)) {
        return RC_NOT_FOUND;
    }
    TRY(filekey_read(files->keys, files->vault, name, &key));
    state->size = state->durable = key.size;
    state->is_complete = true;
    memcpy(state->sha256, key.sha256, sizeof state->sha256);
    filekey_wipe(&key);
    return RC_OK;
}

static enum rc stat_once(struct files *files, const struct filename *name, struct file_state *state,
                         struct part **unverified)
{
    struct part *part = part_find(files, name);

    if (part == NULL) {
        return stat_kept(files, name, state);
    }
    if (!part->is_verified && !part->is_open) {
        part->is_open = true;
        *unverified = part;
        return RC_OK;
    }
    state->size = part->size;
    state->durable = part->durable;
    state->is_complete = false;
    memcpy(state->sha256, part->sha256, sizeof state->sha256);
    return RC_OK;
}

enum rc files_stat(struct files *files, const struct file_name *name, struct file_state *state)
{
    struct filename filename;

    TRY(filename_make(name, &filename));
    for (;;) {
        struct part *unverified = NULL;
        enum rc rc;

        pthread_mutex_lock(&files->lock);
        rc = stat_once(files, &filename, state, &unverified);
        pthread_mutex_unlock(&files->lock);
        if (rc != RC_OK || unverified == NULL) {
            return rc;
        }
        TRY(verify_part(files, unverified));
    }
}

enum rc files_erase(struct files *files, const struct file_name *name)
{
    struct filename filename;
    struct part *part;
    enum rc rc = RC_ABORTED;

    TRY(filename_make(name, &filename));
    pthread_mutex_lock(&files->lock);
    part = part_find(files, &filename);
    if (part == NULL || !part->is_open) {
        if (part != NULL) {
            part_unlist(files, part);
        }
        rc = files_remove(files, &filename);
    }
    pthread_mutex_unlock(&files->lock);
    return rc;
}

enum rc files_rewrap(struct files *files, const struct shard *from, const struct shard *to,
                     size_t *count)
{
    struct filename *names = NULL;
    size_t listed = 0;
    enum rc rc;

    *count = 0;
    TRY(files_list(files->keys, &names, &listed));
    rc = RC_OK;
    for (size_t i = 0; i < listed && rc == RC_OK; i++) {
        bool is_moved = false;

        pthread_mutex_lock(&files->lock);
        rc = filekey_move(files->keys, files->vault, &names[i], from, to, &is_moved);
        pthread_mutex_unlock(&files->lock);
        rc = rc == RC_NOT_FOUND ? RC_OK : rc; /* erased meanwhile */
        *count += is_moved;
    }
    free(names);
    return rc;
}

enum rc files_block(struct files *files, const struct file_name *name, struct vault *view,
                    const struct shard *to)
{
    struct filename filename;
    struct part *part;
    bool is_moved = false;
    enum rc rc;

    TRY(filename_make(name, &filename));
    pthread_mutex_lock(&files->lock);
    part = part_find(files, &filename);
    if (part != NULL && part->is_open) {
        rc = RC_ABORTED;
    } else if (part != NULL) {
        part_unlist(files, part);
        rc = files_remove(files, &filename);
    } else {
        rc = filekey_move(files->keys, view, &filename, NULL, to, &is_moved);
    }
    pthread_mutex_unlock(&files->lock);
    return rc;
}

void files_shard(struct files *files, const struct file_name *name, char shard[VAULT_NAME_SIZE])
{
    struct filename filename;

    shard[0] = '\0';
    if (filename_make(name, &filename) == RC_OK) {
        filekey_shard(files->keys, &filename, shard);
    }
}

size_t files_expire(struct files *files, int64_t before_ms)
{
    size_t count = 0;
    struct part *part;
    struct part *next;

    pthread_mutex_lock(&files->lock);
    for (part = files->parts; part != NULL; part = next) {
        struct filename name = part->name;

        next = part->next;
        if (!part->is_open && part->touched_ms < before_ms) {
            part_unlist(files, part);
            count += files_remove(files, &name) == RC_OK;
        }
    }
    pthread_mutex_unlock(&files->lock);
    return count;
}

static bool sweep_one(struct files *files, const struct filename *name)
{
    struct part *part = part_find(files, name);

    if ((part != NULL && part->is_open) || !filekey_is_erased(files->keys, files->vault, name)) {
        return false;
    }
    if (part != NULL) {
        part_unlist(files, part);
    }
    return files_remove(files, name) == RC_OK;
}

size_t files_sweep(struct files *files)
{
    struct filename *names = NULL;
    size_t listed = 0;
    size_t count = 0;

    if (files_list(files->keys, &names, &listed) != RC_OK) {
        return 0;
    }
    for (size_t i = 0; i < listed; i++) {
        pthread_mutex_lock(&files->lock);
        count += sweep_one(files, &names[i]);
        pthread_mutex_unlock(&files->lock);
    }
    free(names);
    return count;
}
