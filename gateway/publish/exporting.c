#include "publish/exporting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "offline/log_folder.h"
#include "store/anchor.h"
#include "store/auditlog.h"
#include "store/commit_point.h"
#include "store/cosigned.h"
#include "store/db.h"
#include "store/pruning.h"

/* A run rests as long as it worked, but no longer than this at a time. */
/* A quorum is renewed each hour at least. */
#define QUORUM_AGE_S 7200
#define REST_MAX_MS 100

/* Leaves, and where they are kept records, each after its length. */
struct page {
    uint64_t from;
    size_t count;
    struct buffer leaves;
    struct buffer records;
};

struct exporting {
    const struct export_source *source;
    const char *path;
    enum export_kind kind;
    struct log_folder *folder; /* NULL: to be opened */
    bool has_texts;
    uint64_t pruned; /* records below it were given up in the folder, too */
    struct page page;
};

struct exporting *exporting_new(const struct export_source *source, const char *path,
                                enum export_kind kind)
{
    struct exporting *exporting = calloc(1, sizeof *exporting);

    if (exporting != NULL) {
        exporting->source = source;
        exporting->path = path;
        exporting->kind = kind;
    }
    return exporting;
}

void exporting_free(struct exporting *exporting)
{
    if (exporting != NULL) {
        log_folder_free(exporting->folder);
        buffer_release(&exporting->page.leaves);
        buffer_release(&exporting->page.records);
        free(exporting);
    }
}

const char *exporting_path(const struct exporting *exporting)
{
    return exporting->path;
}

static enum rc read_failed(enum rc rc, struct fault *fault)
{
    if (rc == RC_NOT_FOUND) {
        return refuse(fault, RC_NOT_FOUND, "export.pruned", "",
                      "La bitácora ya no conserva las hojas que faltan en la carpeta.");
    }
    return rc == RC_OK ? RC_OK
                       : refuse(fault, rc, "export.read", "", "No se pudo leer la bitácora.");
}

static enum rc take_record(struct txn *txn, uint64_t index, struct buffer *records)
{
    struct bytes blind = {0};
    struct bytes record = {0};
    enum rc rc = auditlog_record(txn, index, &blind, &record);

    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    buffer_put_u32(records, (uint32_t)(blind.size + record.size));
    buffer_put_bytes(records, blind);
    buffer_put_bytes(records, record);
    return RC_OK;
}

static enum rc read_leaves(struct exporting *exporting, struct page *page)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(exporting->source->db, &txn));
    for (size_t i = 0; i < page->count; i++) {
        struct bytes leaf;

        TRY(auditlog_leaf(txn, page->from + i, &leaf));
        buffer_put_bytes(&page->leaves, leaf);
        if (exporting->kind == EXPORT_AUDITORS) {
            TRY(take_record(txn, page->from + i, &page->records));
        }
    }
    return page->leaves.is_failed || page->records.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* Up to the end of the tile: one page fills at most one. */
static enum rc read_page(struct exporting *exporting, uint64_t end, struct fault *fault)
{
    struct page *page = &exporting->page;
    uint64_t left;

    page->from = log_folder_size(exporting->folder);
    left = end - page->from;
    page->count = TILE_WIDTH - (size_t)(page->from % TILE_WIDTH);
    page->count = left < page->count ? (size_t)left : page->count;
    buffer_clear(&page->leaves);
    buffer_clear(&page->records);
    return read_failed(read_leaves(exporting, page), fault);
}

static enum rc add_page(struct exporting *exporting, struct fault *fault)
{
    struct page *page = &exporting->page;
    struct reader leaves = {.rest = buffer_bytes(&page->leaves)};
    struct reader records = {.rest = buffer_bytes(&page->records)};

    for (size_t i = 0; i < page->count; i++) {
        struct bytes leaf = reader_take(&leaves, LEAF_SIZE);
        struct bytes record = {0};

        if (exporting->kind == EXPORT_AUDITORS) {
            record = reader_chunk(&records);
        }
        TRY(log_folder_add(exporting->folder, leaf, record, fault));
    }
    return RC_OK;
}

static enum rc check_floor(const struct exporting *exporting, struct fault *fault)
{
    struct statvfs disk;

    if (statvfs(exporting->path, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize >= exporting->source->floor_bytes) {
        return RC_OK;
    }
    return refuse(fault, RC_UNAVAILABLE, "export.disk_floor", "",
                  "Queda poco espacio en el disco de la carpeta; libere espacio.");
}

static enum rc add_pages(struct exporting *exporting, uint64_t end, const atomic_bool *is_stopping,
                         struct fault *fault)
{
    while (log_folder_size(exporting->folder) < end) {
        int64_t began_ms = clock_monotonic_ms();
        int64_t took_ms;

        if (atomic_load(is_stopping)) {
            return RC_CANCELLED;
        }
        TRY(check_floor(exporting, fault));
        TRY(read_page(exporting, end, fault));
        TRY(add_page(exporting, fault));
        took_ms = clock_monotonic_ms() - began_ms;
        if (log_folder_size(exporting->folder) < end) {
            clock_sleep_ms(took_ms < REST_MAX_MS ? took_ms : REST_MAX_MS);
        }
    }
    return RC_OK;
}

static enum rc open_folder(struct exporting *exporting, bool is_fresh, uint64_t end,
                           struct fault *fault)
{
    const struct log_folder_options options = {
        .path = exporting->path,
        .logs = &exporting->source->vkey,
        .log_count = 1,
        .has_entries = exporting->kind == EXPORT_AUDITORS,
        .has_records = exporting->kind == EXPORT_AUDITORS,
        .is_for_all = exporting->kind == EXPORT_MIRROR,
    };

    if (exporting->folder != NULL) {
        return RC_OK;
    }
    TRY(log_folder_open(&options, &exporting->folder, fault));
    return is_fresh ? RC_OK : log_folder_resume(exporting->folder, end, fault);
}

/* Before the first checkpoint: whoever finds that finds these. */
static enum rc put_texts(struct exporting *exporting, struct fault *fault)
{
    const struct export_source *source = exporting->source;
    char line[VKEY_TEXT_SIZE + 1];

    if (exporting->has_texts) {
        return RC_OK;
    }
    vkey_format(&source->vkey, line);
    strncat(line, "\n", 2);
    TRY(log_folder_put_text(exporting->folder, "vkey", bytes_text(line), fault));
    if (source->policy.size > 0) {
        TRY(log_folder_put_text(exporting->folder, "policy", source->policy, fault));
    }
    exporting->has_texts = true;
    return RC_OK;
}

/* With its quorum's cosignatures when it has them. */
static enum rc note_of(const struct export_source *source, uint64_t size, struct buffer *note,
                       struct fault *fault)
{
    OWN_READ(txn) = NULL;
    struct cosigned cosigned;

    TRY(read_failed(txn_read(source->db, &txn), fault));
    if (size > 0 && cosigned_over(txn, size - 1, &cosigned) == RC_OK && cosigned.size == size) {
        buffer_put_bytes(note, cosigned.note);
        return read_failed(note->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK, fault);
    }
    return read_failed(auditlog_checkpoint(txn, source->keyring, size, note), fault);
}

/* A bundle as it stands in the log by now. */
static enum rc prune_bundle(struct exporting *exporting, uint64_t index, struct fault *fault)
{
    OWN(buffer) records = {0};
    OWN_READ(txn) = NULL;

    TRY(read_failed(txn_read(exporting->source->db, &txn), fault));
    for (uint64_t i = 0; i < TILE_WIDTH; i++) {
        TRY(read_failed(take_record(txn, index * TILE_WIDTH + i, &records), fault));
    }
    return records.is_failed
               ? read_failed(RC_RESOURCE_EXHAUSTED, fault)
               : log_folder_put_records(exporting->folder, index, buffer_bytes(&records), fault);
}

/* What the log has given up, its folder gives up, too. */
static enum rc prune_folder(struct exporting *exporting, const atomic_bool *is_stopping,
                            struct fault *fault)
{
    struct pruning pruning;
    char line[32];

    if (exporting->kind != EXPORT_AUDITORS) {
        return RC_OK;
    }
    {
        OWN_READ(txn) = NULL;

        TRY(read_failed(txn_read(exporting->source->db, &txn), fault));
        TRY(read_failed(pruning_proven(txn, &pruning), fault));
    }
    if (pruning.swept < pruning.minimum || pruning.minimum <= exporting->pruned) {
        return RC_OK;
    }
    for (uint64_t i = exporting->pruned / TILE_WIDTH; i < pruning.minimum / TILE_WIDTH; i++) {
        if (atomic_load(is_stopping)) {
            return RC_CANCELLED;
        }
        TRY(prune_bundle(exporting, i, fault));
    }
    snprintf(line, sizeof line, "%llu\n", (unsigned long long)pruning.minimum);
    TRY(log_folder_put_text(exporting->folder, "minimum-index", bytes_text(line), fault));
    exporting->pruned = pruning.minimum;
    return RC_OK;
}

static enum rc bring_up(struct exporting *exporting, uint64_t end, const atomic_bool *is_stopping,
                        bool is_fresh, struct export_run *run, struct fault *fault)
{
    OWN(buffer) note = {0};
    uint64_t before;

    TRY(open_folder(exporting, is_fresh, end, fault));
    run->size = log_folder_size(exporting->folder);
    if (run->size > end) {
        return RC_OK; /* it went on without a quorum before; the next one will be larger */
    }
    TRY(put_texts(exporting, fault));
    before = log_folder_size(exporting->folder);
    TRY(add_pages(exporting, end, is_stopping, fault));
    TRY(note_of(exporting->source, end, &note, fault));
    TRY(log_folder_finish(exporting->folder, buffer_bytes(&note), fault));
    run->size = log_folder_size(exporting->folder);
    run->added = run->size - before;
    return run->size > 0 ? prune_folder(exporting, is_stopping, fault) : RC_OK;
}

static enum rc run_once(struct exporting *exporting, uint64_t end, const atomic_bool *is_stopping,
                        bool is_fresh, struct export_run *run, struct fault *fault)
{
    enum rc rc = bring_up(exporting, end, is_stopping, is_fresh, run, fault);

    if (rc != RC_OK) {
        log_folder_free(exporting->folder);
        exporting->folder = NULL;
        exporting->has_texts = false;
    }
    return rc;
}

/*
 * The newest checkpoint with a quorum: readers with a policy believe no other. The newest anchored
 * one where no witnesses are asked, or where they have been away for long.
 */
static uint64_t find_end(const struct export_source *source)
{
    struct commit_point *head = anchor_latest(source->anchor);
    uint64_t end = commit_point_size(head);
    struct cosigned cosigned;
    OWN_READ(txn) = NULL;

    commit_point_release(head);
    if (txn_read(source->db, &txn) == RC_OK && cosigned_last(txn, &cosigned) == RC_OK &&
        cosigned.time_s + QUORUM_AGE_S > (uint64_t)(clock_now_ms() / 1000)) {
        end = cosigned.size;
    }
    return end;
}

enum rc exporting_run(struct exporting *exporting, const atomic_bool *is_stopping,
                      struct export_run *run, struct fault *fault)
{
    uint64_t end = find_end(exporting->source);
    enum rc rc;

    *run = (struct export_run){0};
    if (end == 0) {
        return RC_OK; /* an empty log has no row, and nothing to show */
    }
    rc = run_once(exporting, end, is_stopping, false, run, fault);
    if (rc == RC_ABORTED) {
        *fault = (struct fault){0};
        rc = run_once(exporting, end, is_stopping, true, run, fault);
    }
    return rc;
}
