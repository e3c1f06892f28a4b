#include "client/keepings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "client/profile.h"
#include "client/receipt_check.h"
#include "client/receipt_file.h"

#define PATH_SIZE 768
#define IDS_MAX ((size_t)4 << 20)

struct ids {
    struct id *items;
    size_t count;
    size_t room;
};

struct keepings {
    const struct profile *profile;
    bool checks;
    struct kept_receipt *receipts;
    size_t receipt_count;
    size_t receipt_room;
    struct ids waiting;
    struct ids come; /* inbox, rejected */
    struct ids handled;
};

static int compare_ids(const void *a, const void *b)
{
    return memcmp(((const struct id *)a)->bytes, ((const struct id *)b)->bytes, ID_SIZE);
}

/* The id stands first in both. */
static int compare_receipts(const void *a, const void *b)
{
    return compare_ids(&((const struct kept_receipt *)a)->id,
                       &((const struct kept_receipt *)b)->id);
}

static enum rc grow(void **items, size_t *room, size_t count, size_t size)
{
    size_t wanted = *room == 0 ? 1024 : 2 * *room;
    void *made;

    if (count < *room) {
        return RC_OK;
    }
    made = wanted <= IDS_MAX ? realloc(*items, wanted * size) : NULL;
    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *items = made;
    *room = wanted;
    return RC_OK;
}

static enum rc add_id(struct ids *ids, const struct id *id)
{
    void *items = ids->items;
    enum rc rc = grow(&items, &ids->room, ids->count, sizeof *id);

    ids->items = items;
    TRY(rc);
    ids->items[ids->count++] = *id;
    return RC_OK;
}

static void sort(struct ids *ids)
{
    if (ids->count > 0) {
        qsort(ids->items, ids->count, sizeof *ids->items, compare_ids);
    }
}

static bool has(const struct ids *ids, const struct id *id)
{
    return ids->count > 0 &&
           bsearch(id, ids->items, ids->count, sizeof *ids->items, compare_ids) != NULL;
}

/* ---- receipts ---- */

static enum rc read_whole(const char *path, struct buffer *into)
{
    FILE *file = fopen(path, "re");
    uint8_t chunk[4096];
    size_t size;

    if (file == NULL) {
        return RC_NOT_FOUND;
    }
    while (into->size <= RECEIPT_FILE_SIZE_MAX &&
           (size = fread(chunk, 1, sizeof chunk, file)) > 0) {
        buffer_put(into, chunk, size);
    }
    fclose(file);
    return into->is_failed || into->size > RECEIPT_FILE_SIZE_MAX ? RC_DATA_LOSS : RC_OK;
}

/* A receipt of a log that this profile does not name (an older epoch's) proves nothing against it.
 */
static void check(const struct keepings *keepings, const struct receipt_file *file,
                  struct kept_receipt *kept)
{
    const struct profile *profile = keepings->profile;

    for (size_t i = 0; i < file->count && kept->why[0] == '\0'; i++) {
        struct fault fault = {0};

        if (receipt_check(file->commitment, &file->receipts[i], profile->logs, profile->log_count,
                          NULL, &fault) != RC_OK &&
            strcmp(fault.reason, "receipt.unknown_log") != 0) {
            snprintf(kept->why, sizeof kept->why, "%.31s", fault.reason);
        }
    }
}

static void look_into(const struct keepings *keepings, const char *path, struct kept_receipt *kept)
{
    OWN(buffer) text = {0};
    struct receipt_file file;

    if (!keepings->checks) {
        return;
    }
    if (read_whole(path, &text) != RC_OK ||
        receipt_file_parse(buffer_bytes(&text), &file) != RC_OK ||
        !id_equal(&file.message_id, &kept->id)) {
        snprintf(kept->why, sizeof kept->why, "receipt.malformed");
        return;
    }
    memcpy(kept->commitment, file.commitment, HASH_SIZE);
    kept->is_sent = file.count == 1;
    check(keepings, &file, kept);
}

static enum rc add_receipt(struct keepings *keepings, const char *path, const struct id *id)
{
    void *items = keepings->receipts;
    struct kept_receipt *kept;
    enum rc rc =
        grow(&items, &keepings->receipt_room, keepings->receipt_count, sizeof *keepings->receipts);

    keepings->receipts = items;
    TRY(rc);
    kept = &keepings->receipts[keepings->receipt_count++];
    *kept = (struct kept_receipt){.id = *id};
    look_into(keepings, path, kept);
    return RC_OK;
}

/* ---- folders ---- */

/* Files that are named by an id alone; what is being written and a .why are passed over. */
static enum rc walk(struct keepings *keepings, const char *path, struct ids *into)
{
    DIR *folder = opendir(path);
    enum rc rc = RC_OK;

    if (folder == NULL) {
        return errno == ENOENT ? RC_OK
                               : failed(RC_UNAVAILABLE, "keepings.open", "path=%s cause=%s", path,
                                        strerror(errno));
    }
    for (struct dirent *entry; rc == RC_OK && (entry = readdir(folder)) != NULL;) {
        char file[PATH_SIZE + 300];
        struct id id;

        if (id_parse(entry->d_name, &id) != RC_OK) {
            continue;
        }
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        rc = into != NULL ? add_id(into, &id) : add_receipt(keepings, file, &id);
    }
    closedir(folder);
    return rc;
}

static enum rc read_handled(struct keepings *keepings, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[160];
    enum rc rc = RC_OK;

    if (file == NULL) {
        return RC_OK;
    }
    while (rc == RC_OK && fgets(line, sizeof line, file) != NULL) {
        char *space = strchr(line, ' ');
        struct id id;

        if (space == NULL || strchr(space, '\n') == NULL) {
            break; /* being written */
        }
        *space = '\0';
        if (id_parse(line, &id) == RC_OK) {
            rc = add_id(&keepings->handled, &id);
        }
    }
    fclose(file);
    return rc;
}

static enum rc read_spool(struct keepings *keepings, const char *spool)
{
    struct {
        const char *name;
        struct ids *into; /* NULL: receipts */
    } folders[] = {{"receipts", NULL},
                   {"outbox", &keepings->waiting},
                   {"parked", &keepings->waiting},
                   {"inbox", &keepings->come},
                   {"rejected", &keepings->come}};
    char path[PATH_SIZE];

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", spool, folders[i].name);
        TRY(walk(keepings, path, folders[i].into));
    }
    snprintf(path, sizeof path, "%s/handled.log", spool);
    return read_handled(keepings, path);
}

static enum rc read_all(struct keepings *keepings)
{
    static const char *const parts[] = {"", "/adapter", "/enlace"};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char spool[CONF_TEXT_SIZE + 16];

        snprintf(spool, sizeof spool, "%s%s", keepings->profile->spool, parts[i]);
        TRY(read_spool(keepings, spool));
    }
    sort(&keepings->waiting);
    sort(&keepings->come);
    sort(&keepings->handled);
    if (keepings->receipt_count > 0) {
        qsort(keepings->receipts, keepings->receipt_count, sizeof *keepings->receipts,
              compare_receipts);
    }
    return RC_OK;
}

enum rc keepings_read(const struct profile *profile, bool checks, struct keepings **keepings)
{
    OWN_PTR(keepings) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->profile = profile;
    made->checks = checks;
    TRY(read_all(made));
    *keepings = MOVE(made);
    return RC_OK;
}

void keepings_free(struct keepings *keepings)
{
    if (keepings != NULL) {
        free(keepings->receipts);
        free(keepings->waiting.items);
        free(keepings->come.items);
        free(keepings->handled.items);
        free(keepings);
    }
}

/* ---- questions ---- */

size_t keepings_count(const struct keepings *keepings)
{
    return keepings->receipt_count + keepings->handled.count;
}

const struct kept_receipt *keepings_receipt(const struct keepings *keepings, size_t n)
{
    return n < keepings->receipt_count ? &keepings->receipts[n] : NULL;
}

const struct kept_receipt *keepings_find(const struct keepings *keepings, const struct id *id)
{
    struct kept_receipt wanted = {.id = *id};

    return keepings->receipt_count == 0
               ? NULL
               : bsearch(&wanted, keepings->receipts, keepings->receipt_count,
                         sizeof *keepings->receipts, compare_receipts);
}

bool keepings_is_waiting(const struct keepings *keepings, const struct id *id)
{
    return has(&keepings->waiting, id);
}

bool keepings_has_come(const struct keepings *keepings, const struct id *id)
{
    return has(&keepings->come, id) || has(&keepings->handled, id);
}

const struct id *keepings_handled(const struct keepings *keepings, size_t n)
{
    return n < keepings->handled.count ? &keepings->handled.items[n] : NULL;
}
