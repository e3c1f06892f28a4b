/*
 * fuzz_codec - the strict readers of the wire: what is accepted is exactly what our own writing of
 * it gives, header and compartments included; and strictness is no other than protobuf-c's own
 * packing (unit/rpc/codec_agrees.h).
 *
 * The first byte chooses the reader, so that seeds of one do not breed in another's corpus.
 */
#include "fuzz/fuzz.h"

#include "base/arena.h"
#include "rpc/codec_official.h"
#include "rpc/codec_order.h"
#include "rpc/codec_service.h"
#include "rpc/codec_watch.h"
#include "unit/rpc/codec_agrees.h"

#define ARENA_MAX ((size_t)8 << 20)

FUZZ_QUIET()

static void check_message(const struct message *message)
{
    OWN(buffer) header = {0};

    codec_header_write(&message->header, &header);
    assert(bytes_equal(buffer_bytes(&header), message->header_bytes));
    assert(message->compartment_count <= MESSAGE_COMPARTMENTS_MAX);
    assert(message->header.subject_count <= MESSAGE_SUBJECTS_MAX);
}

static enum rc read_message(struct bytes from, struct arena *arena, struct buffer *again,
                            struct fault *fault)
{
    struct message message;

    TRY(codec_message_read(from, arena, &message, fault));
    check_message(&message);
    codec_message_write(&message, again);
    return RC_OK;
}

static enum rc read_submit(struct bytes from, struct arena *arena, struct buffer *again,
                           struct fault *fault)
{
    struct submission submission;

    TRY(codec_submit_read(from, arena, &submission, fault));
    check_message(&submission.message);
    codec_submit_write(&submission, again);
    return RC_OK;
}

static enum rc read_response(struct bytes from, struct arena *arena, struct buffer *again,
                             struct fault *fault)
{
    struct receipt receipt;
    bool is_erased;

    TRY(codec_submit_response_read(from, arena, &receipt, &is_erased, fault));
    codec_submit_response_write(&receipt, is_erased, again);
    return RC_OK;
}

static enum rc read_results(struct bytes from, struct arena *arena, struct buffer *again,
                            struct fault *fault)
{
    struct submit_result *results = NULL;
    size_t count = 0;

    TRY(codec_results_read(from, arena, &results, &count, fault));
    codec_results_write(results, count, again);
    return RC_OK;
}

static enum rc read_record(struct bytes from, struct arena *arena, struct buffer *again,
                           struct fault *fault)
{
    struct record record;

    TRY(codec_record_read(from, arena, &record, fault));
    codec_record_write(&record, again);
    return RC_OK;
}

/* The compartment's type is its first byte. */
static enum rc read_compartment(struct bytes from, struct arena *arena, struct buffer *again,
                                struct fault *fault)
{
    enum compartment_type type = COMPARTMENT_IDENTITY;
    struct field_value *values = NULL;
    size_t count = 0;

    if (from.size > 0) {
        type += from.data[0] % COMPARTMENT_ATTACHMENTS;
        buffer_put_u8(again, from.data[0]);
        from = BYTES(from.data + 1, from.size - 1);
    }
    TRY(codec_compartment_read(type, from, arena, &values, &count, fault));
    assert(codec_compartment_write(type, values, count, again) == RC_OK);
    return RC_OK;
}

static enum rc read_attach_request(struct bytes from, struct arena *arena, struct buffer *again,
                                   struct fault *fault)
{
    struct attach_request request;

    TRY(codec_attach_request_read(from, arena, &request, fault));
    codec_attach_request_write(&request, again);
    return RC_OK;
}

static enum rc read_attach_response(struct bytes from, struct arena *arena, struct buffer *again,
                                    struct fault *fault)
{
    struct attach_response response;

    TRY(codec_attach_response_read(from, arena, &response, fault));
    codec_attach_response_write(&response, again);
    return RC_OK;
}

static enum rc read_exchange_request(struct bytes from, struct arena *arena, struct buffer *again,
                                     struct fault *fault)
{
    struct exchange_part part;

    TRY(codec_exchange_request_read(from, arena, &part, fault));
    if (part.hello != NULL) {
        codec_hello_write(part.hello, true, again);
    } else if (part.question != NULL) {
        codec_question_write(part.question, true, again);
    } else if (part.proof != NULL) {
        codec_proof_write(part.proof, true, again);
    } else {
        codec_parcel_write(part.parcel, again);
    }
    return RC_OK;
}

static enum rc read_exchange_response(struct bytes from, struct arena *arena, struct buffer *again,
                                      struct fault *fault)
{
    struct exchange_part part;

    TRY(codec_exchange_response_read(from, arena, &part, fault));
    if (part.hello != NULL) {
        codec_hello_write(part.hello, false, again);
    } else if (part.question != NULL) {
        codec_question_write(part.question, false, again);
    } else if (part.proof != NULL) {
        codec_proof_write(part.proof, false, again);
    } else {
        codec_parcel_answer_write(part.answer, again);
    }
    return RC_OK;
}

static enum rc read_put(struct bytes from, struct arena *arena, struct buffer *again,
                        struct fault *fault)
{
    struct attachment_hello *hello = NULL;
    struct attachment_chunk *chunk = NULL;

    TRY(codec_put_attachment_read(from, arena, &hello, &chunk, fault));
    codec_put_attachment_write(hello, chunk, again);
    return RC_OK;
}

static enum rc read_got(struct bytes from, struct arena *arena, struct buffer *again,
                        struct fault *fault)
{
    struct attachment_chunk chunk;
    uint64_t size = 0;

    TRY(codec_got_attachment_read(from, arena, &chunk, &size, fault));
    codec_got_attachment_write(&chunk, size, again);
    return RC_OK;
}

static enum rc read_get(struct bytes from, struct arena *arena, struct buffer *again,
                        struct fault *fault)
{
    struct id id;
    uint64_t offset = 0;

    (void)arena;
    TRY(codec_get_attachment_read(from, &id, &offset, fault));
    codec_get_attachment_write(&id, offset, again);
    return RC_OK;
}

static enum rc read_state(struct bytes from, struct arena *arena, struct buffer *again,
                          struct fault *fault)
{
    uint64_t offset = 0;
    bool is_complete = false;

    (void)arena;
    TRY(codec_attachment_state_read(from, &offset, &is_complete, fault));
    codec_attachment_state_write(offset, is_complete, again);
    return RC_OK;
}

static enum rc read_id(struct bytes from, struct arena *arena, struct buffer *again,
                       struct fault *fault)
{
    struct id id;

    (void)arena;
    TRY(codec_id_request_read(from, &id, fault));
    codec_id_request_write(&id, again);
    return RC_OK;
}

static enum rc read_give_again(struct bytes from, struct arena *arena, struct buffer *again,
                               struct fault *fault)
{
    bool only_asks;
    struct id id;

    TRY(codec_give_again_read(from, arena, &id, &only_asks, fault));
    codec_give_again_write(&id, only_asks, again);
    return RC_OK;
}

static enum rc read_track(struct bytes from, struct arena *arena, struct buffer *again,
                          struct fault *fault)
{
    struct track track;

    TRY(codec_track_read(from, arena, &track, fault));
    codec_track_write(&track, again);
    return RC_OK;
}

static enum rc read_receipts(struct bytes from, struct arena *arena, struct buffer *again,
                             struct fault *fault)
{
    struct receipts receipts;

    TRY(codec_receipts_read(from, arena, &receipts, fault));
    codec_receipts_write(&receipts, again);
    return RC_OK;
}

static enum rc read_ping(struct bytes from, struct arena *arena, struct buffer *again,
                         struct fault *fault)
{
    struct ping ping;

    TRY(codec_ping_read(from, arena, &ping, fault));
    codec_ping_write(&ping, again);
    return RC_OK;
}

static enum rc read_audit_request(struct bytes from, struct arena *arena, struct buffer *again,
                                  struct fault *fault)
{
    struct audit_page_request request;

    TRY(codec_audit_request_read(from, arena, &request, fault));
    codec_audit_request_write(&request, again);
    return RC_OK;
}

static enum rc read_audit_page(struct bytes from, struct arena *arena, struct buffer *again,
                               struct fault *fault)
{
    struct audit_page page;

    TRY(codec_audit_page_read(from, arena, &page, fault));
    codec_audit_page_write(&page, again);
    return RC_OK;
}

static enum rc read_replay_request(struct bytes from, struct arena *arena, struct buffer *again,
                                   struct fault *fault)
{
    struct replay_request request;

    TRY(codec_replay_request_read(from, arena, &request, fault));
    codec_replay_request_write(&request, again);
    return RC_OK;
}

static enum rc read_replay_page(struct bytes from, struct arena *arena, struct buffer *again,
                                struct fault *fault)
{
    struct replay_page page;

    TRY(codec_replay_page_read(from, arena, &page, fault));
    codec_replay_page_write(&page, again);
    return RC_OK;
}

static enum rc read_follow_request(struct bytes from, struct arena *arena, struct buffer *again,
                                   struct fault *fault)
{
    struct follow_request request;

    TRY(codec_follow_request_read(from, arena, &request, fault));
    codec_follow_request_write(&request, again);
    return RC_OK;
}

static enum rc read_follow_page(struct bytes from, struct arena *arena, struct buffer *again,
                                struct fault *fault)
{
    struct follow_page page;

    TRY(codec_follow_page_read(from, arena, &page, fault));
    codec_follow_page_write(&page, again);
    return RC_OK;
}

static enum rc read_order(struct bytes from, struct arena *arena, struct buffer *again,
                          struct fault *fault)
{
    struct order_signed order;
    OWN(buffer) inner = {0};

    TRY(codec_order_signed_read(from, arena, &order, fault));
    codec_order_write(&order.order, &inner);
    assert(bytes_equal(buffer_bytes(&inner), order.bytes));
    codec_order_signed_write(&order, again);
    return RC_OK;
}

static enum rc read_order_answer(struct bytes from, struct arena *arena, struct buffer *again,
                                 struct fault *fault)
{
    struct order_answer answer;

    TRY(codec_order_answer_read(from, arena, &answer, fault));
    codec_order_answer_write(&answer, again);
    return RC_OK;
}

static enum rc read_blocked_request(struct bytes from, struct arena *arena, struct buffer *again,
                                    struct fault *fault)
{
    struct blocked_request request;

    TRY(codec_blocked_request_read(from, arena, &request, fault));
    codec_blocked_request_write(&request, again);
    return RC_OK;
}

static enum rc read_blocked(struct bytes from, struct arena *arena, struct buffer *again,
                            struct fault *fault)
{
    struct message message;

    TRY(codec_blocked_read(from, arena, &message, fault));
    codec_blocked_write(&message, again);
    return RC_OK;
}

static enum rc read_act(struct bytes from, struct arena *arena, struct buffer *again,
                        struct fault *fault)
{
    struct official_signed act;
    OWN(buffer) inner = {0};

    TRY(codec_official_signed_read(from, arena, &act, fault));
    codec_official_act_write(&act.act, &inner);
    assert(bytes_equal(buffer_bytes(&inner), act.bytes));
    codec_official_signed_write(&act, again);
    return RC_OK;
}

static enum rc read_act_answer(struct bytes from, struct arena *arena, struct buffer *again,
                               struct fault *fault)
{
    uint8_t digest[HASH_SIZE];

    TRY(codec_official_answer_read(from, arena, digest, fault));
    codec_official_answer_write(digest, again);
    return RC_OK;
}

static enum rc read_awaiting(struct bytes from, struct arena *arena, struct buffer *again,
                             struct fault *fault)
{
    static struct awaiting rows[OFFICIAL_AWAITING_MAX];
    size_t count;

    TRY(codec_awaiting_read(from, arena, rows, &count, fault));
    codec_awaiting_write(rows, count, again);
    return RC_OK;
}

static enum rc read_will(struct bytes from, struct arena *arena, struct buffer *again,
                         struct fault *fault)
{
    struct will will;

    TRY(codec_will_read(from, arena, &will, fault));
    codec_will_write(&will, again);
    return RC_OK;
}

static enum rc read_query(struct bytes from, struct arena *arena, struct buffer *again,
                          struct fault *fault)
{
    struct audit_query query;

    TRY(codec_audit_query_read(from, arena, &query, fault));
    codec_audit_query_write(&query, again);
    return RC_OK;
}

static enum rc read_query_request(struct bytes from, struct arena *arena, struct buffer *again,
                                  struct fault *fault)
{
    struct audit_query_request request;

    TRY(codec_query_request_read(from, arena, &request, fault));
    codec_query_request_write(&request, again);
    return RC_OK;
}

static enum rc read_query_page(struct bytes from, struct arena *arena, struct buffer *again,
                               struct fault *fault)
{
    struct audit_query_page page;

    TRY(codec_query_page_read(from, arena, &page, fault));
    codec_query_page_write(&page, again);
    return RC_OK;
}

static enum rc read_tag_key_request(struct bytes from, struct arena *arena, struct buffer *again,
                                    struct fault *fault)
{
    struct audit_query_request request;

    TRY(codec_tag_key_request_read(from, arena, &request, fault));
    codec_tag_key_request_write(&request, again);
    return RC_OK;
}

static enum rc read_tag_key(struct bytes from, struct arena *arena, struct buffer *again,
                            struct fault *fault)
{
    uint8_t key[HASH_SIZE];
    uint64_t index;

    (void)arena;
    TRY(codec_tag_key_read(from, key, &index, fault));
    codec_tag_key_write(key, index, again);
    return RC_OK;
}

static enum rc read_closing(struct bytes from, struct arena *arena, struct buffer *again,
                            struct fault *fault)
{
    struct audit_closing closing;

    TRY(codec_audit_closing_read(from, arena, &closing, fault));
    codec_audit_closing_write(&closing, again);
    return RC_OK;
}

static enum rc read_index_state(struct bytes from, struct arena *arena, struct buffer *again,
                                struct fault *fault)
{
    struct audit_index_state state;

    (void)arena;
    TRY(codec_index_state_read(from, &state, fault));
    codec_index_state_write(&state, again);
    return RC_OK;
}

static enum rc read_watch_request(struct bytes from, struct arena *arena, struct buffer *again,
                                  struct fault *fault)
{
    struct watch_request request;

    TRY(codec_watch_request_read(from, arena, &request, fault));
    codec_watch_request_write(&request, again);
    return RC_OK;
}

static enum rc read_watch_page(struct bytes from, struct arena *arena, struct buffer *again,
                               struct fault *fault)
{
    struct watch_page page;

    TRY(codec_watch_page_read(from, arena, &page, fault));
    codec_watch_page_write(&page, arena, again);
    return RC_OK;
}

static enum rc read_redeliver_request(struct bytes from, struct arena *arena, struct buffer *again,
                                      struct fault *fault)
{
    struct redeliver redeliver;

    TRY(codec_redeliver_request_read(from, arena, &redeliver, fault));
    codec_redeliver_request_write(&redeliver, again);
    return RC_OK;
}

static enum rc read_redeliver_response(struct bytes from, struct arena *arena, struct buffer *again,
                                       struct fault *fault)
{
    struct redeliver redeliver;

    TRY(codec_redeliver_response_read(from, arena, &redeliver, fault));
    codec_redeliver_response_write(redeliver.count, redeliver.next, again);
    return RC_OK;
}

static enum rc read_trace(struct bytes from, struct arena *arena, struct buffer *again,
                          struct fault *fault)
{
    struct trace trace;

    TRY(codec_trace_read(from, arena, &trace, fault));
    codec_trace_write(&trace, arena, again);
    return RC_OK;
}

static const struct {
    char name;
    enum shape_name shape;
    enum rc (*read)(struct bytes from, struct arena *arena, struct buffer *again,
                    struct fault *fault);
} readers[] = {
    {'m', SHAPE_MESSAGE, read_message},
    {'s', SHAPE_SUBMIT_REQUEST, read_submit},
    {'r', SHAPE_SUBMIT_RESPONSE, read_response},
    {'R', SHAPE_SUBMIT_STREAM_RESPONSE, read_results},
    {'a', SHAPE_AUDIT_RECORD, read_record},
    {'c', SHAPE_HEADER, read_compartment},
    {'A', SHAPE_ATTACH_REQUEST, read_attach_request},
    {'D', SHAPE_ATTACH_RESPONSE, read_attach_response},
    {'e', SHAPE_EXCHANGE_REQUEST, read_exchange_request},
    {'E', SHAPE_EXCHANGE_RESPONSE, read_exchange_response},
    {'p', SHAPE_PUT_ATTACHMENT_REQUEST, read_put},
    {'P', SHAPE_PUT_ATTACHMENT_RESPONSE, read_state},
    {'g', SHAPE_GET_ATTACHMENT_REQUEST, read_get},
    {'G', SHAPE_GET_ATTACHMENT_RESPONSE, read_got},
    {'i', SHAPE_ID_REQUEST, read_id},
    {'h', SHAPE_GIVE_AGAIN_REQUEST, read_give_again},
    {'t', SHAPE_TRACK_RESPONSE, read_track},
    {'v', SHAPE_RECEIPTS_RESPONSE, read_receipts},
    {'w', SHAPE_PING_RESPONSE, read_ping},
    {'b', SHAPE_REPLAY_REQUEST, read_replay_request},
    {'B', SHAPE_REPLAY_RESPONSE, read_replay_page},
    {'y', SHAPE_FOLLOW_REQUEST, read_follow_request},
    {'Y', SHAPE_FOLLOW_RESPONSE, read_follow_page},
    {'l', SHAPE_READ_RECORDS_REQUEST, read_audit_request},
    {'o', SHAPE_GIVE_ORDER_REQUEST, read_order},
    {'O', SHAPE_ORDER_ANSWER, read_order_answer},
    {'f', SHAPE_READ_BLOCKED_REQUEST, read_blocked_request},
    {'F', SHAPE_READ_BLOCKED_RESPONSE, read_blocked},
    {'d', SHAPE_GIVE_ACT_REQUEST, read_act},
    {'j', SHAPE_GIVE_ACT_RESPONSE, read_act_answer},
    {'W', SHAPE_GET_WILL_RESPONSE, read_will},
    {'J', SHAPE_LIST_AWAITING_RESPONSE, read_awaiting},
    {'L', SHAPE_READ_RECORDS_RESPONSE, read_audit_page},
    {'q', SHAPE_AUDIT_QUERY, read_query},
    {'n', SHAPE_QUERY_RECORDS_REQUEST, read_query_request},
    {'N', SHAPE_QUERY_RECORDS_RESPONSE, read_query_page},
    {'k', SHAPE_GIVE_TAG_KEY_REQUEST, read_tag_key_request},
    {'K', SHAPE_GIVE_TAG_KEY_RESPONSE, read_tag_key},
    {'z', SHAPE_CLOSE_AUDIT_REQUEST, read_closing},
    {'x', SHAPE_REINDEX_RESPONSE, read_index_state},
    {'u', SHAPE_LIST_EXCHANGES_REQUEST, read_watch_request},
    {'U', SHAPE_LIST_EXCHANGES_RESPONSE, read_watch_page},
    {'H', SHAPE_REDELIVER_REQUEST, read_redeliver_request},
    {'I', SHAPE_REDELIVER_RESPONSE, read_redeliver_response},
    {'T', SHAPE_TRACE_EXCHANGE_RESPONSE, read_trace},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) again = {0};
    struct fault fault = {0};

    for (size_t i = 0; size > 0 && i < sizeof readers / sizeof readers[0]; i++) {
        if (readers[i].name != (char)data[0]) {
            continue;
        }
        assert(codec_agrees(readers[i].shape, BYTES(data + 1, size - 1)));
        if (readers[i].read(BYTES(data + 1, size - 1), arena, &again, &fault) == RC_OK) {
            assert(bytes_equal(buffer_bytes(&again), BYTES(data + 1, size - 1)));
        } else {
            assert(fault.rc != RC_OK && fault.reason[0] != '\0');
        }
    }
    return 0;
}
