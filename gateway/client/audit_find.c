#include "client/audit_find.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/audit_read.h"
#include "client/audit_seen.h"
#include "client/profile.h"
#include "client/session.h"
#include "rpc/channel.h"
#include "rpc/duplex.h"
#include "tlog/leaf.h"

#define SERVICE "/enlace.v1.AuditService/"
#define PAGE_ARENA_MAX ((size_t)64 << 20)

struct audit_find {
    struct session *session;
    const struct petition *petition;
    struct audit_seen *seen;
    struct duplex *duplex;
    struct buffer response;
    bool is_begun;
};

static enum rc lies(struct fault *fault, const char *reason, uint64_t index, const char *what)
{
    char path[48];

    snprintf(path, sizeof path, "hoja %" PRIu64, index);
    return refuse(fault, RC_DATA_LOSS, reason, path,
                  "El nodo muestra lo que no puede probar: %s. Guarde lo que tenga y avise.", what);
}

enum rc audit_find_open(struct session *session, const struct petition *petition,
                        struct audit_seen *seen, struct audit_find **find, struct fault *fault)
{
    OWN_PTR(audit_find) made = calloc(1, sizeof *made);

    if (made == NULL ||
        duplex_open(session->channel, SERVICE "QueryRecords", -1, &made->duplex) != RC_OK) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "", "Falta memoria.");
    }
    made->session = session;
    made->petition = petition;
    made->seen = seen;
    *find = MOVE(made);
    return RC_OK;
}

void audit_find_free(struct audit_find *find)
{
    if (find != NULL) {
        duplex_free(find->duplex);
        buffer_release(&find->response);
        free(find);
    }
}

static enum rc ask_page(struct audit_find *find, uint64_t from, size_t count, struct fault *fault)
{
    struct audit_query_request request = {
        .from_index = from, .count = (uint32_t)count, .seen_size = audit_seen_size(find->seen)};
    OWN(buffer) bytes = {0};
    struct fault sending = {0};
    enum rc rc;

    if (!find->is_begun) {
        request.query = find->petition->query_bytes;
        request.approval = find->petition->approval;
    }
    codec_query_request_write(&request, &bytes);
    rc = duplex_send(find->duplex, buffer_bytes(&bytes), &sending);
    if (rc != RC_OK && strcmp(sending.reason, "stream.over") != 0) {
        *fault = sending;
        return rc;
    }
    find->is_begun = true;
    /* A stream that ended says why. */
    return duplex_receive(find->duplex, find->session->timeout_ms, &find->response, fault);
}

/* Only what the record itself shows: a person does not stand in it. */
static bool is_asked_for(const struct audit_query *query, const struct leaf *leaf,
                         const struct record *record)
{
    return leaf->time_s >= (uint64_t)query->from_s &&
           (query->to_s == 0 || leaf->time_s < (uint64_t)query->to_s) &&
           (query->kind == RECORD_NONE || query->kind == record->kind) &&
           (query->type == MESSAGE_NONE || query->type == record->type) &&
           (query->event == EVENT_NONE || query->event == record->event) &&
           (query->route[0] == '\0' || strcmp(query->route, record->route) == 0) &&
           (query->member[0] == '\0' || strcmp(query->member, record->from) == 0 ||
            strcmp(query->member, record->to) == 0) &&
           (id_is_zero(&query->exchange_id) ||
            id_equal(&query->exchange_id, &record->exchange_id)) &&
           (query->holder[0] == '\0' || record_is_of(record, query->holder));
}

static enum rc verify_one(const struct audit_entry *entry, const struct audit_query *query,
                          uint64_t least, uint64_t end, const struct checkpoint *head,
                          struct arena *arena, struct audit_taker *taker, uint64_t *next,
                          struct fault *fault)
{
    struct leaf leaf;
    struct record record;

    if (leaf_decode(entry->leaf, &leaf) != RC_OK) {
        return lies(fault, "audit.leaf", least, "una hoja sin la forma debida");
    }
    if (leaf.index < least || leaf.index >= end) {
        return lies(fault, "audit.order", leaf.index, "hojas fuera de orden");
    }
    TRY(audit_read_verify_entry(entry, leaf.index, head, fault));
    if (codec_record_read(entry->record, arena, &record, NULL) != RC_OK) {
        return lies(fault, "audit.record", leaf.index, "un registro que no se entiende");
    }
    if (!is_asked_for(query, &leaf, &record)) {
        return lies(fault, "audit.not_asked", leaf.index, "un registro que no se pidió");
    }
    *next = leaf.index + 1;
    return taker->take(taker, entry, &leaf, &record, fault);
}

enum rc audit_find_verify(const struct audit_query_page *page, const struct audit_query *query,
                          uint64_t from, const struct vkey *logs, size_t log_count,
                          struct arena *arena, struct audit_taker *taker, struct checkpoint *head,
                          struct fault *fault)
{
    uint64_t least = from;

    TRY(audit_read_open_head(page->page.checkpoint, logs, log_count, head, fault));
    if (page->next_index > head->size || (page->next_index <= from && from < head->size)) {
        return lies(fault, "audit.next", page->next_index, "una página que no avanza");
    }
    for (size_t i = 0; i < page->page.entry_count; i++) {
        TRY(verify_one(&page->page.entries[i], query, least, page->next_index, head, arena, taker,
                       &least, fault));
    }
    return RC_OK;
}

enum rc audit_find_ask(struct audit_find *find, uint64_t from, size_t count, struct arena *arena,
                       struct audit_query_page *page, struct fault *fault)
{
    struct bytes response;

    TRY(ask_page(find, from, count, fault));
    response = arena_copy(arena, buffer_bytes(&find->response));
    if (response.data == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "",
                      "La página no cabe en memoria, o viene vacía.");
    }
    return codec_query_page_read(response, arena, page, fault);
}

enum rc audit_find_page(struct audit_find *find, uint64_t from, size_t count, struct arena *arena,
                        struct audit_taker *taker, struct audit_find_page *page,
                        struct fault *fault)
{
    const struct profile *profile = find->session->profile;
    struct audit_query_page answer;

    TRY(audit_find_ask(find, from, count, arena, &answer, fault));
    TRY(audit_read_open_head(answer.page.checkpoint, profile->logs, profile->own_log_count,
                             &page->head, fault));
    TRY(audit_seen_extend(find->seen, &page->head, answer.page.checkpoint, &answer.consistency,
                          fault));
    TRY(audit_find_verify(&answer, &find->petition->query, from, profile->logs,
                          profile->own_log_count, arena, taker, &page->head, fault));
    page->note = answer.page.checkpoint;
    page->next = answer.next_index;
    page->indexed_to = answer.indexed_to;
    page->found = answer.page.entry_count;
    return RC_OK;
}

enum rc audit_find_finish(struct audit_find *find, struct fault *fault)
{
    return find->is_begun ? audit_case_end_stream(find->session, find->duplex, fault) : RC_OK;
}

enum rc audit_find_all(struct audit_find *find, uint64_t from, struct audit_taker *taker,
                       struct audit_find_end *end, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(PAGE_ARENA_MAX);
    uint64_t next = from;

    if (arena == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "", "Falta memoria.");
    }
    *end = (struct audit_find_end){.found = 0};
    do {
        struct audit_find_page page;

        arena_reset(arena);
        TRY(audit_find_page(find, next, AUDIT_PAGE_MAX, arena, taker, &page, fault));
        end->head = page.head;
        end->size = end->size == 0 ? page.head.size : end->size;
        end->found += page.found;
        end->indexed_to = page.indexed_to;
        next = page.next;
    } while (next < end->size);
    return audit_find_finish(find, fault);
}

enum rc audit_find_tag_key(struct session *session, const struct petition *petition,
                           uint8_t key[HASH_SIZE], uint64_t *index, struct fault *fault)
{
    const struct audit_query_request request = {.query = petition->query_bytes,
                                                .approval = petition->approval};
    OWN(buffer) bytes = {0};
    OWN(buffer) response = {0};

    codec_tag_key_request_write(&request, &bytes);
    TRY(channel_call(session->channel, SERVICE "GiveTagKey", buffer_bytes(&bytes),
                     session->timeout_ms, &response, fault));
    return codec_tag_key_read(buffer_bytes(&response), key, index, fault);
}
