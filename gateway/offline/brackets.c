#include "offline/brackets.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offline/disk.h"
#include "offline/log_check.h"
#include "offline/log_folder.h"
#include "offline/report.h"
#include "tlog/text.h"

static struct bracket *add(struct brackets *brackets)
{
    if (brackets->count == brackets->capacity) {
        size_t capacity = brackets->capacity == 0 ? 64 : 2 * brackets->capacity;
        struct bracket *items;

        if (capacity > BRACKETS_MAX) {
            return NULL;
        }
        items = realloc(brackets->items, capacity * sizeof *items);
        if (items == NULL) {
            return NULL;
        }
        brackets->items = items;
        brackets->capacity = capacity;
    }
    return &brackets->items[brackets->count++];
}

static void add_checkpoint(struct brackets *brackets, const struct log_check *check,
                           const struct checkpoint *head, const struct note *note,
                           const char *where, struct report *report)
{
    struct bracket *item = add(brackets);

    if (item == NULL) {
        report_warn(report, "checkpoint.too_many", where,
                    "Hay demasiados sellos; no todos se "
                    "comprobaron.");
        return;
    }
    *item = (struct bracket){.size = head->size};
    memcpy(item->root, head->root, DIGEST_SIZE);
    snprintf(item->where, sizeof item->where, "%s", where);
    (void)trust_time(check->trust, note, &item->time_s);
}

static void add_bytes(struct brackets *brackets, const struct log_check *check,
                      const struct checkpoint *head, struct bytes bytes, const char *where,
                      struct report *report)
{
    struct checkpoint old;
    struct note note;

    if (!trust_open(check->trust, bytes, where, &note, &old, report)) {
        return;
    }
    if (strcmp(old.origin, head->origin) != 0) {
        report_bad(report, "checkpoint.unknown_log", where, "Es un sello de otra bitácora (%s).",
                   old.origin);
        return;
    }
    if (old.size > head->size) {
        report_bad(report, "checkpoint.rollback", where,
                   "Ese sello cubre %" PRIu64 " hojas y la bitácora tiene %" PRIu64
                   ": retrocedió. Los dos sellos, firmados, lo prueban.",
                   old.size, head->size);
        return;
    }
    add_checkpoint(brackets, check, &old, &note, where, report);
}

static void add_history(struct brackets *brackets, const struct log_check *check,
                        const struct checkpoint *head, struct report *report)
{
    char path[DISK_PATH_SIZE];
    OWN(buffer) bytes = {0};
    struct dirent *entry;
    DIR *listing;

    snprintf(path, sizeof path, "%s/%s", check->path, LOG_FOLDER_CHECKPOINTS);
    listing = opendir(path);
    while (listing != NULL && (entry = readdir(listing)) != NULL) {
        uint64_t size;

        /* Only names that an export gives. */
        if (text_decimal(bytes_text(entry->d_name), &size) != RC_OK) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%" PRIu64, LOG_FOLDER_CHECKPOINTS, size);
        if (disk_read(check->path, path, CHECKPOINT_SIZE_MAX, &bytes) != RC_OK) {
            report_bad(report, "checkpoint.old_damaged", path, "El sello no se puede leer.");
        } else {
            add_bytes(brackets, check, head, buffer_bytes(&bytes), path, report);
        }
    }
    if (listing != NULL) {
        closedir(listing);
    }
}

static int by_size(const void *a, const void *b)
{
    const struct bracket *left = a;
    const struct bracket *right = b;

    return left->size < right->size ? -1 : left->size > right->size;
}

/* Latest time at or before each, earliest at or after each. */
static void fold_times(struct brackets *brackets)
{
    uint64_t latest = 0;
    uint64_t earliest = UINT64_MAX;

    for (size_t i = 0; i < brackets->count; i++) {
        latest = brackets->items[i].time_s > latest ? brackets->items[i].time_s : latest;
        brackets->items[i].latest_before_s = latest;
    }
    for (size_t i = brackets->count; i-- > 0;) {
        uint64_t time_s = brackets->items[i].time_s;

        earliest = time_s != 0 && time_s < earliest ? time_s : earliest;
        brackets->items[i].earliest_after_s = earliest;
    }
}

void brackets_gather(struct brackets *brackets, const struct log_check *check,
                     const struct checkpoint *head, const struct note *note, struct report *report)
{
    add_checkpoint(brackets, check, head, note, "checkpoint", report);
    add_history(brackets, check, head, report);
    for (size_t i = 0; i < check->remembered_count; i++) {
        OWN(buffer) bytes = {0};

        if (disk_read(check->remembered[i], "", CHECKPOINT_SIZE_MAX, &bytes) != RC_OK) {
            report_bad(report, "checkpoint.old_damaged", check->remembered[i],
                       "El sello no se puede leer.");
        } else {
            add_bytes(brackets, check, head, buffer_bytes(&bytes), check->remembered[i], report);
        }
    }
    if (brackets->count > 0) {
        qsort(brackets->items, brackets->count, sizeof *brackets->items, by_size);
    }
    fold_times(brackets);
}

void brackets_release(struct brackets *brackets)
{
    free(brackets->items);
    *brackets = (struct brackets){0};
}

void brackets_compare(struct brackets *brackets, const struct tile_edge *edge,
                      struct report *report)
{
    for (; brackets->compared < brackets->count &&
           brackets->items[brackets->compared].size == edge->size;
         brackets->compared++) {
        const struct bracket *item = &brackets->items[brackets->compared];
        uint8_t root[DIGEST_SIZE];

        tile_edge_root(edge, root);
        if (!digest_equal(root, item->root) && strcmp(item->where, "checkpoint") != 0) {
            report_bad(report, "checkpoint.fork", item->where,
                       "La bitácora ya no contiene lo que ese sello firmó (%" PRIu64
                       " hojas): reescribió su pasado. Los dos sellos lo prueban.",
                       item->size);
        }
    }
}

enum brackets_verdict brackets_check(struct brackets *brackets, uint64_t index, uint64_t time_s,
                                     uint64_t tolerance_s, uint64_t *bound_s)
{
    while (brackets->below < brackets->count && brackets->items[brackets->below].size <= index) {
        brackets->below++;
    }
    if (brackets->below > 0) {
        uint64_t before = brackets->items[brackets->below - 1].latest_before_s;

        if (before > tolerance_s && time_s < before - tolerance_s) {
            *bound_s = before;
            return BRACKETS_EARLY;
        }
    }
    if (brackets->below < brackets->count) {
        uint64_t after = brackets->items[brackets->below].earliest_after_s;

        if (after != UINT64_MAX && time_s > after + tolerance_s) {
            *bound_s = after;
            return BRACKETS_LATE;
        }
    }
    return BRACKETS_FINE;
}

bool brackets_have_time(const struct brackets *brackets)
{
    return brackets->count > 0 && brackets->items[brackets->count - 1].latest_before_s != 0;
}
