#include "rpc/codec_service.h"

#include <string.h>

#include "base/arena.h"
#include "rpc/codec_pb.h"

/* Answers of a few numbers. */
#define SMALL_ARENA ((size_t)8 << 10)

static enum rc read_small(enum shape_name shape, struct bytes from, struct arena *arena,
                          ProtobufCMessage **read, struct fault *fault)
{
    if (arena == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "decode.memory", "", "Falta memoria.");
    }
    return pb_read(shape, from, "", arena, read, fault);
}

/* ---- a question ---- */

enum rc codec_audit_query_read(struct bytes from, struct arena *arena, struct audit_query *query,
                               struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__AuditQuery *wire;

    TRY(pb_read(SHAPE_AUDIT_QUERY, from, "query", arena, &read, fault));
    wire = (const Enlace__V1__AuditQuery *)read;
    *query = (struct audit_query){
        .query_id = pb_id(wire->query_id),
        .reader = wire->reader,
        .origin = wire->origin,
        .purpose_commitment = pb_bytes(wire->purpose_commitment),
        .from_s = wire->from_time,
        .to_s = wire->to_time,
        .member = wire->member,
        .kind = (enum record_kind)wire->kind,
        .route = wire->route,
        .exchange_id = pb_id(wire->exchange_id),
        .person = pb_id(wire->person),
        .holder = wire->holder,
        .wants_tag_key = wire->wants_tag_key,
        .expires_s = wire->expires_at,
        .type = (enum message_type)wire->type,
        .event = (enum event)wire->event,
    };
    return RC_OK;
}

void codec_audit_query_write(const struct audit_query *query, struct buffer *out)
{
    Enlace__V1__AuditQuery wire;

    enlace__v1__audit_query__init(&wire);
    wire.query_id = pb_id_data(&query->query_id);
    wire.reader = pb_text(query->reader);
    wire.origin = pb_text(query->origin);
    wire.purpose_commitment = pb_data(query->purpose_commitment);
    wire.from_time = query->from_s;
    wire.to_time = query->to_s;
    wire.member = pb_text(query->member);
    wire.kind = (Enlace__V1__RecordKind)query->kind;
    wire.route = pb_text(query->route);
    wire.exchange_id = pb_id_data(&query->exchange_id);
    wire.person = pb_id_data(&query->person);
    wire.holder = pb_text(query->holder);
    wire.wants_tag_key = query->wants_tag_key;
    wire.expires_at = query->expires_s;
    wire.type = (uint32_t)query->type;
    wire.event = (Enlace__V1__Event)query->event;
    pb_write(&wire.base, out);
}

/* ---- asking ---- */

static struct signature signature_of(const Enlace__V1__Signature *wire)
{
    return wire != NULL ? (struct signature){.certificate = pb_bytes(wire->certificate),
                                             .signature = pb_bytes(wire->signature)}
                        : (struct signature){0};
}

/* NULL: there is none. */
static Enlace__V1__Signature *fill_signature(Enlace__V1__Signature *to,
                                             const struct signature *from)
{
    enlace__v1__signature__init(to);
    to->certificate = pb_data(from->certificate);
    to->signature = pb_data(from->signature);
    return from->certificate.size > 0 ? to : NULL;
}

enum rc codec_query_request_read(struct bytes from, struct arena *arena,
                                 struct audit_query_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__QueryRecordsRequest *wire;

    TRY(pb_read(SHAPE_QUERY_RECORDS_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__QueryRecordsRequest *)read;
    *request = (struct audit_query_request){.query = pb_bytes(wire->query),
                                            .approval = signature_of(wire->approval),
                                            .from_index = wire->from_index,
                                            .count = wire->count,
                                            .seen_size = wire->seen_size};
    return RC_OK;
}

void codec_query_request_write(const struct audit_query_request *request, struct buffer *out)
{
    Enlace__V1__QueryRecordsRequest wire;
    Enlace__V1__Signature approval;

    enlace__v1__query_records_request__init(&wire);
    wire.query = pb_data(request->query);
    wire.approval = fill_signature(&approval, &request->approval);
    wire.from_index = request->from_index;
    wire.count = request->count;
    wire.seen_size = request->seen_size;
    pb_write(&wire.base, out);
}

enum rc codec_query_page_read(struct bytes from, struct arena *arena, struct audit_query_page *page,
                              struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__QueryRecordsResponse *wire;

    TRY(pb_read(SHAPE_QUERY_RECORDS_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__QueryRecordsResponse *)read;
    page->next_index = wire->next_index;
    page->indexed_to = wire->indexed_to;
    pb_path_read(wire->consistency, wire->n_consistency, &page->consistency);
    return pb_audit_page(wire->checkpoint, wire->entries, wire->n_entries, arena, &page->page,
                         fault);
}

static void write_entry(const struct audit_entry *entry, struct buffer *out)
{
    Enlace__V1__QueryRecordsResponse wire;
    Enlace__V1__AuditEntry inner;
    Enlace__V1__AuditEntry *inner_at = &inner;
    ProtobufCBinaryData path[PATH_MAX_HASHES];

    if (!pb_audit_entry_fill(&inner, path, entry)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__query_records_response__init(&wire);
    wire.n_entries = 1;
    wire.entries = &inner_at;
    pb_write(&wire.base, out);
}

/* In pieces, in the order of the fields, which together are one message (see codec_result). */
void codec_query_page_write(const struct audit_query_page *page, struct buffer *out)
{
    Enlace__V1__QueryRecordsResponse wire;
    ProtobufCBinaryData consistency[PATH_MAX_HASHES];

    if (page->page.entry_count > AUDIT_PAGE_MAX || !pb_path_fill(consistency, &page->consistency)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__query_records_response__init(&wire);
    wire.checkpoint = pb_data(page->page.checkpoint);
    pb_write(&wire.base, out);
    for (size_t i = 0; i < page->page.entry_count; i++) {
        write_entry(&page->page.entries[i], out);
    }
    enlace__v1__query_records_response__init(&wire);
    wire.next_index = page->next_index;
    wire.indexed_to = page->indexed_to;
    wire.n_consistency = page->consistency.count;
    wire.consistency = consistency;
    pb_write(&wire.base, out);
}

/* ---- the key of a person's tags ---- */

enum rc codec_tag_key_request_read(struct bytes from, struct arena *arena,
                                   struct audit_query_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GiveTagKeyRequest *wire;

    TRY(pb_read(SHAPE_GIVE_TAG_KEY_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GiveTagKeyRequest *)read;
    *request = (struct audit_query_request){.query = pb_bytes(wire->query),
                                            .approval = signature_of(wire->approval)};
    return RC_OK;
}

void codec_tag_key_request_write(const struct audit_query_request *request, struct buffer *out)
{
    Enlace__V1__GiveTagKeyRequest wire;
    Enlace__V1__Signature approval;

    enlace__v1__give_tag_key_request__init(&wire);
    wire.query = pb_data(request->query);
    wire.approval = fill_signature(&approval, &request->approval);
    pb_write(&wire.base, out);
}

enum rc codec_tag_key_read(struct bytes from, uint8_t key[HASH_SIZE], uint64_t *index,
                           struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(SMALL_ARENA);
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GiveTagKeyResponse *wire;

    TRY(read_small(SHAPE_GIVE_TAG_KEY_RESPONSE, from, arena, &read, fault));
    wire = (const Enlace__V1__GiveTagKeyResponse *)read;
    memcpy(key, wire->tag_key.data, HASH_SIZE);
    *index = wire->index;
    return RC_OK;
}

void codec_tag_key_write(const uint8_t key[HASH_SIZE], uint64_t index, struct buffer *out)
{
    Enlace__V1__GiveTagKeyResponse wire;

    enlace__v1__give_tag_key_response__init(&wire);
    wire.tag_key = pb_data(BYTES(key, HASH_SIZE));
    wire.index = index;
    pb_write(&wire.base, out);
}

/* ---- the end of an audit ---- */

enum rc codec_audit_closing_read(struct bytes from, struct arena *arena,
                                 struct audit_closing *closing, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__CloseAuditRequest *wire;

    TRY(pb_read(SHAPE_CLOSE_AUDIT_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__CloseAuditRequest *)read;
    *closing =
        (struct audit_closing){.purpose = wire->purpose, .blind = pb_bytes(wire->purpose_blind)};
    return RC_OK;
}

void codec_audit_closing_write(const struct audit_closing *closing, struct buffer *out)
{
    Enlace__V1__CloseAuditRequest wire;

    enlace__v1__close_audit_request__init(&wire);
    wire.purpose = pb_text(closing->purpose);
    wire.purpose_blind = pb_data(closing->blind);
    pb_write(&wire.base, out);
}

enum rc codec_audit_closed_read(struct bytes from, struct audit_closed *closed, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(SMALL_ARENA);
    ProtobufCMessage *read = NULL;
    const Enlace__V1__CloseAuditResponse *wire;

    TRY(read_small(SHAPE_CLOSE_AUDIT_RESPONSE, from, arena, &read, fault));
    wire = (const Enlace__V1__CloseAuditResponse *)read;
    *closed = (struct audit_closed){wire->index, wire->sessions, wire->records};
    return RC_OK;
}

void codec_audit_closed_write(const struct audit_closed *closed, struct buffer *out)
{
    Enlace__V1__CloseAuditResponse wire;

    enlace__v1__close_audit_response__init(&wire);
    wire.index = closed->index;
    wire.sessions = closed->sessions;
    wire.records = closed->records;
    pb_write(&wire.base, out);
}

/* ---- the index ---- */

enum rc codec_reindex_request_read(struct bytes from, bool *is_to_begin, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(SMALL_ARENA);
    ProtobufCMessage *read = NULL;

    TRY(read_small(SHAPE_REINDEX_REQUEST, from, arena, &read, fault));
    *is_to_begin = ((const Enlace__V1__ReindexRequest *)read)->is_to_begin;
    return RC_OK;
}

void codec_reindex_request_write(bool is_to_begin, struct buffer *out)
{
    Enlace__V1__ReindexRequest wire;

    enlace__v1__reindex_request__init(&wire);
    wire.is_to_begin = is_to_begin;
    pb_write(&wire.base, out);
}

enum rc codec_index_state_read(struct bytes from, struct audit_index_state *state,
                               struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(SMALL_ARENA);
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ReindexResponse *wire;

    TRY(read_small(SHAPE_REINDEX_RESPONSE, from, arena, &read, fault));
    wire = (const Enlace__V1__ReindexResponse *)read;
    *state = (struct audit_index_state){.state = (enum index_state)wire->state,
                                        .size = wire->size,
                                        .indexed_to = wire->indexed_to,
                                        .rebuilt_to = wire->rebuilt_to,
                                        .rebuilds = wire->rebuilds,
                                        .rows = wire->rows,
                                        .missing = wire->missing,
                                        .extra = wire->extra,
                                        .first_leaf = wire->first_leaf};
    return RC_OK;
}

void codec_index_state_write(const struct audit_index_state *state, struct buffer *out)
{
    Enlace__V1__ReindexResponse wire;

    enlace__v1__reindex_response__init(&wire);
    wire.state = (Enlace__V1__IndexState)state->state;
    wire.size = state->size;
    wire.indexed_to = state->indexed_to;
    wire.rebuilt_to = state->rebuilt_to;
    wire.rebuilds = state->rebuilds;
    wire.rows = state->rows;
    wire.missing = state->missing;
    wire.extra = state->extra;
    wire.first_leaf = state->first_leaf;
    pb_write(&wire.base, out);
}
