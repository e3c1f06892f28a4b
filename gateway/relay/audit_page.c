#include "relay/audit_page.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "relay/chain.h"
#include "relay/node.h"
#include "rpc/codec_service.h"
#include "store/auditlog.h"
#include "store/commit_point.h"
#include "store/db.h"
#include "store/writer.h"

#define PAGE_ARENA_MAX ((size_t)16 << 20)
#define SCRATCH_MAX ((size_t)1 << 20)

/* The newest checkpoint, which everything on the page is proven under. */
static enum rc begin_page(const struct node *node, struct arena *arena, struct audit_page *page,
                          uint64_t *size)
{
    struct commit_point *point = writer_latest(node->writer);

    *size = commit_point_size(point);
    *page = (struct audit_page){.checkpoint = arena_copy(arena, commit_point_note(point))};
    commit_point_release(point);
    page->entries = arena_alloc(arena, (AUDIT_PAGE_MAX + 1) * sizeof *page->entries);
    return page->entries != NULL && page->checkpoint.data != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static enum rc fill_entry(struct auditlog_reader *reader, struct txn *txn, uint64_t index,
                          uint64_t size, struct arena *arena, struct audit_entry *entry)
{
    struct bytes leaf;
    struct bytes blind = {0};
    struct bytes record = {0};
    struct proof proof;
    enum rc rc;

    TRY(auditlog_leaf(txn, index, &leaf));
    rc = auditlog_record(txn, index, &blind, &record);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    TRY(auditlog_inclusion(reader, txn, index, size, &proof));
    entry->leaf = arena_copy(arena, leaf);
    entry->record_blind = blind.size > 0 ? arena_copy(arena, blind) : blind;
    entry->record = record.size > 0 ? arena_copy(arena, record) : record;
    return chain_path(&proof, arena, &entry->path);
}

static enum rc fill_entries(const struct node *node, struct auditlog_reader *reader,
                            const uint64_t *leaves, size_t count, uint64_t size,
                            struct arena *arena, struct audit_page *page)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(node->db, &txn));
    for (; page->entry_count < count; page->entry_count++) {
        TRY(fill_entry(reader, txn, leaves[page->entry_count], size, arena,
                       &page->entries[page->entry_count]));
    }
    return RC_OK;
}

enum rc audit_page_whole(const struct node *node, struct auditlog_reader *reader, uint64_t from,
                         size_t count, struct audit_page_made *made)
{
    OWN_PTR(arena) arena = arena_new(PAGE_ARENA_MAX);
    uint64_t leaves[AUDIT_PAGE_MAX];
    struct audit_page page;
    uint64_t size;
    size_t wanted = 0;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(begin_page(node, arena, &page, &size));
    for (; wanted < count && from + wanted < size && from < size; wanted++) {
        leaves[wanted] = from + wanted;
    }
    TRY(fill_entries(node, reader, leaves, wanted, size, arena, &page));
    codec_audit_page_write(&page, &made->bytes);
    made->entries = page.entry_count;
    return made->bytes.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* A reader who saw a larger tree gets none: what is shown to her says it all. */
static enum rc fill_consistency(const struct node *node, struct auditlog_reader *reader,
                                uint64_t seen_size, uint64_t size, struct arena *arena,
                                struct path *path)
{
    OWN_READ(txn) = NULL;
    struct proof proof;

    if (seen_size == 0 || seen_size >= size) {
        return RC_OK;
    }
    TRY(txn_read(node->db, &txn));
    TRY(auditlog_consistency(reader, txn, seen_size, size, &proof));
    return chain_path(&proof, arena, path);
}

enum rc audit_page_query(const struct node *node, struct auditlog_reader *reader,
                         const struct finder_question *question, uint64_t from, size_t count,
                         uint64_t seen_size, struct audit_page_made *made)
{
    OWN_PTR(arena) arena = arena_new(PAGE_ARENA_MAX);
    OWN_PTR(arena) scratch = arena_new(SCRATCH_MAX);
    struct audit_query_page page = {0};
    struct finder_place place = {.next = from};
    uint64_t leaves[AUDIT_PAGE_MAX];
    size_t found = 0;
    uint64_t size;

    if (arena == NULL || scratch == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(begin_page(node, arena, &page.page, &size));
    place.next = from < size ? from : size;
    TRY(finder_find(node, question, size, count, scratch, leaves, &found, &place));
    TRY(fill_entries(node, reader, leaves, found, size, arena, &page.page));
    TRY(fill_consistency(node, reader, seen_size, size, arena, &page.consistency));
    page.next_index = place.next;
    page.indexed_to = place.indexed_to < size ? place.indexed_to : size;
    codec_query_page_write(&page, &made->bytes);
    made->entries = found;
    return made->bytes.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* ---- an audit's sessions ---- */

static void add_session(const struct facts *facts, struct audit_history *history)
{
    const struct record *record = &facts->record;

    switch (record->kind) {
    case RECORD_READING:
    case RECORD_TAG_KEY_GIVEN:
        if (history->sessions == 0) {
            history->first_index = facts->index;
            snprintf(history->member, sizeof history->member, "%s", record->to);
        }
        history->sessions++;
        break;
    case RECORD_READING_ENDED:
        history->records += record->count;
        break;
    case RECORD_AUDIT_CLOSED:
        history->is_closed = true;
        break;
    default:
        break;
    }
}

static enum rc add_sessions(const struct node *node, const uint64_t *leaves, size_t count,
                            struct arena *arena, struct audit_history *history)
{
    OWN_READ(txn) = NULL;
    struct facts facts;

    TRY(txn_read(node->db, &txn));
    for (size_t i = 0; i < count; i++) {
        arena_reset(arena);
        TRY(facts_read(txn, leaves[i], arena, &facts));
        add_session(&facts, history);
    }
    return RC_OK;
}

enum rc audit_history_read(const struct node *node, struct bytes commitment,
                           struct audit_history *history)
{
    const struct finder_question question = {
        .member = "", .route = "", .only_of = "", .audit = commitment};
    OWN_PTR(arena) arena = arena_new(SCRATCH_MAX);
    struct commit_point *point = writer_latest(node->writer);
    uint64_t size = commit_point_size(point);
    struct finder_place place = {0};
    uint64_t leaves[AUDIT_PAGE_MAX];

    commit_point_release(point);
    *history = (struct audit_history){0};
    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    while (place.next < size) {
        size_t count = 0;

        TRY(finder_find(node, &question, size, AUDIT_PAGE_MAX, arena, leaves, &count, &place));
        TRY(add_sessions(node, leaves, count, arena, history));
    }
    return RC_OK;
}
