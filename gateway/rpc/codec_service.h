/*
 * codec_service - requests and responses of Exchange, Federation and Audit, as plain structs.
 *
 * The same rules as rpc/codec.h: reading is strict and borrows, writing appends.
 */
#ifndef RPC_CODEC_SERVICE_H
#define RPC_CODEC_SERVICE_H

#include "model/lifecycle.h"
#include "model/record.h"
#include "rpc/codec.h"

struct condition;

/* ---- Attach ---- */

enum attach_kind { ATTACH_NONE, ATTACH_HELLO, ATTACH_ACKNOWLEDGEMENT, ATTACH_SUBMISSION };

struct attach_request {
    enum attach_kind kind;
    enum urgency urgency; /* hello */
    uint32_t window;
    struct id message_id; /* acknowledgement */
    struct submission *submission;
};

enum attach_answer { ANSWER_NONE, ANSWER_DELIVERY, ANSWER_RESULT, ANSWER_SETTLED };

struct delivery {
    const struct message *message;
    struct receipt receipt;        /* of the node that delivers */
    struct receipt sender_receipt; /* of the sender's node */
    bool is_redelivered;
    bool was_settled; /* asked for again: an acknowledgement settles it */
};

struct attach_response {
    enum attach_answer kind;
    struct delivery delivery;
    struct submit_result result;
    struct id settled;
};

MUST_CHECK enum rc codec_attach_request_read(struct bytes from, struct arena *arena,
                                             struct attach_request *request, struct fault *fault);
void codec_attach_request_write(const struct attach_request *request, struct buffer *out);
MUST_CHECK enum rc codec_attach_response_read(struct bytes from, struct arena *arena,
                                              struct attach_response *response,
                                              struct fault *fault);
void codec_attach_response_write(const struct attach_response *response, struct buffer *out);

/* ---- Track, GetReceipts, Ping ---- */

struct item_state {
    uint32_t number;
    const char *code;
    enum state state;
    uint32_t occurrences;
    int64_t changed_at_ms;
    const char *responsible;
    int64_t occurrence_due_ms; /* 0: none */
    uint32_t missing;
    const char *ends_on;
    bool is_suspended;
    const char *reason;
    const char *competent;
    uint32_t cadence_count;
    enum period period; /* PERIOD_NONE: no cadence */
};

struct tracked_act {
    int64_t occurred_at_ms; /* 0: not yet */
    int64_t entered_at_ms;
    enum out_of_band band;
};

struct clock_state {
    const char *id;
    uint32_t item;
    const char *anchor;
    const char *stop;
    struct tracked_act anchored;
    int64_t due_at_ms;
    struct tracked_act stopped;
    uint32_t percent_left;
    bool is_overdue;
    uint32_t told;
    const char *late;
};

#define TRACK_CLOCKS_MAX 80

struct track {
    struct id exchange_id;
    const char *from;
    const char *to;
    struct item_state items[MESSAGE_ITEMS_MAX];
    size_t item_count;
    int64_t received_at_ms;
    struct id parent_exchange_id;
    struct clock_state clocks[TRACK_CLOCKS_MAX];
    size_t clock_count;
    int64_t now_ms;
    enum urgency urgency;
    const char *route;
    struct tracked_act opened;
    int64_t expires_at_ms;
    enum message_type type;
};

#define RECEIPTS_MAX 4

struct receipts {
    struct bytes message_commitment; /* M, 32 bytes */
    struct receipt items[RECEIPTS_MAX];
    size_t count;
};

struct given_again {
    bool was_owed;          /* not settled yet: nothing was changed */
    bool maybe_another_has; /* it was for any of several systems */
};

struct ping {
    const char *you;
    const char *node;
    int64_t time_ms;
    struct bytes directory_sha256;
};

/* TrackRequest, GetReceiptsRequest, StatAttachmentRequest: one id in field 1. */
void codec_id_request_write(const struct id *id, struct buffer *out);
MUST_CHECK enum rc codec_id_request_read(struct bytes from, struct id *id, struct fault *fault);
void codec_track_write(const struct track *track, struct buffer *out);
MUST_CHECK enum rc codec_track_read(struct bytes from, struct arena *arena, struct track *track,
                                    struct fault *fault);
void codec_receipts_write(const struct receipts *receipts, struct buffer *out);
MUST_CHECK enum rc codec_receipts_read(struct bytes from, struct arena *arena,
                                       struct receipts *receipts, struct fault *fault);
void codec_give_again_write(const struct id *id, bool only_asks, struct buffer *out);
MUST_CHECK enum rc codec_give_again_read(struct bytes from, struct arena *arena, struct id *id,
                                         bool *only_asks, struct fault *fault);
void codec_given_again_write(const struct given_again *given, struct buffer *out);
MUST_CHECK enum rc codec_given_again_read(struct bytes from, struct arena *arena,
                                          struct given_again *given, struct fault *fault);
void codec_ping_write(const struct ping *ping, struct buffer *out);
MUST_CHECK enum rc codec_ping_read(struct bytes from, struct arena *arena, struct ping *ping,
                                   struct fault *fault);

/* ---- Federation ---- */

#define PARCEL_ENTRIES_MAX 256
#define PARCEL_BYTES_MAX ((size_t)4 << 20)
#define PATH_MAX_HASHES 64

struct path {
    struct bytes hashes[PATH_MAX_HASHES]; /* 32 bytes each */
    size_t count;
};

struct progress {
    struct bytes checkpoint;
    uint64_t old_size;
    struct path consistency;
};

struct peer_hello {
    const char *node;
    const char *origin;
    enum urgency urgency;
    uint64_t seen_size;
    struct bytes directory_sha256;
    struct bytes seen_checkpoint;
    struct bytes succession; /* empty in a log's first epoch */
};

/* A question between two sizes of one log, and its answer; a question has no path. */
struct line {
    uint64_t old_size;
    uint64_t new_size;
    struct path consistency;
};

struct parcel_entry {
    struct message *message;
    struct bytes message_bytes; /* writing: already serialised Message, if data is not NULL */
    struct bytes leaf;
    struct path path;
};

struct parcel {
    uint64_t sequence;
    struct bytes directory_sha256;
    struct progress progress;
    struct parcel_entry *entries;
    size_t entry_count;
};

struct entry_answer {
    struct fault fault; /* rc not RC_OK: refused */
    struct bytes leaf;
    struct path path;
};

struct parcel_answer {
    uint64_t sequence;
    struct progress progress;
    struct entry_answer *answers;
    size_t answer_count;
};

/* What one ExchangeRequest (a parcel, say) or ExchangeResponse (an answer) holds: one of these, in
 * arena memory; the others are NULL. */
struct exchange_part {
    struct peer_hello *hello;
    struct parcel *parcel;
    struct parcel_answer *answer;
    struct line *question;
    struct line *proof;
};

MUST_CHECK enum rc codec_exchange_request_read(struct bytes from, struct arena *arena,
                                               struct exchange_part *part, struct fault *fault);
MUST_CHECK enum rc codec_exchange_response_read(struct bytes from, struct arena *arena,
                                                struct exchange_part *part, struct fault *fault);
void codec_hello_write(const struct peer_hello *hello, bool is_request, struct buffer *out);
void codec_question_write(const struct line *question, bool is_request, struct buffer *out);
void codec_proof_write(const struct line *proof, bool is_request, struct buffer *out);
void codec_parcel_write(const struct parcel *parcel, struct buffer *out);
void codec_parcel_answer_write(const struct parcel_answer *answer, struct buffer *out);

/* ---- Witnessing ---- */

/* A body of add-checkpoint with a note of NOTE_MAX (tlog/add_checkpoint.h). */
#define WITNESS_BODY_MAX (20u << 10)

struct add_request {
    struct bytes body;
    struct line *later; /* NULL: none */
};

struct add_response {
    uint32_t status;
    uint64_t size;
    struct bytes cosignature;
};

MUST_CHECK enum rc codec_add_request_read(struct bytes from, struct arena *arena,
                                          struct add_request *request, struct fault *fault);
void codec_add_request_write(const struct add_request *request, struct buffer *out);
MUST_CHECK enum rc codec_add_response_read(struct bytes from, struct arena *arena,
                                           struct add_response *response, struct fault *fault);
void codec_add_response_write(const struct add_response *response, struct buffer *out);
/* GetCheckpoint: an origin, and a note that may be empty. */
MUST_CHECK enum rc codec_origin_read(struct bytes from, struct arena *arena, const char **origin,
                                     struct fault *fault);
void codec_origin_write(const char *origin, struct buffer *out);
MUST_CHECK enum rc codec_note_read(struct bytes from, struct arena *arena, struct bytes *note,
                                   struct fault *fault);
void codec_note_write(struct bytes note, struct buffer *out);
/* ---- Federation: after a new epoch ---- */

struct replay_request {
    const char *origin;
    struct bytes succession;
    uint64_t from_index;
    uint64_t seen_size;
};

struct replay_entry {
    struct message *message;    /* reading */
    struct bytes message_bytes; /* writing: a serialised Message */
    struct bytes leaf;
    struct path path;
    struct bytes old_leaf;
    struct bytes old_proof;
};

struct replay_page {
    struct progress progress;
    struct replay_entry *entries; /* at most PARCEL_ENTRIES_MAX */
    size_t entry_count;
    uint64_t next_index;
    bool is_complete;
};

MUST_CHECK enum rc codec_replay_request_read(struct bytes from, struct arena *arena,
                                             struct replay_request *request, struct fault *fault);
void codec_replay_request_write(const struct replay_request *request, struct buffer *out);
MUST_CHECK enum rc codec_replay_page_read(struct bytes from, struct arena *arena,
                                          struct replay_page *page, struct fault *fault);
void codec_replay_page_write(const struct replay_page *page, struct buffer *out);

/* GetSeenRequest and GetSeenResponse hold one thing each. */
MUST_CHECK enum rc codec_get_seen_read(struct bytes from, struct arena *arena, const char **origin,
                                       struct fault *fault);
void codec_get_seen_write(const char *origin, struct buffer *out);
MUST_CHECK enum rc codec_seen_read(struct bytes from, struct arena *arena, struct bytes *checkpoint,
                                   struct fault *fault);
void codec_seen_write(struct bytes checkpoint, struct buffer *out);

/* ---- Federation: a follower ---- */

#define FOLLOW_FEED_SIZE 16u
#define FOLLOW_WALK_MAX 544u
/* Of one response. */
#define FOLLOW_ROWS_MAX (2u << 20)

struct follow_request {
    struct bytes feed;
    uint64_t next;
    struct bytes walk;
    uint64_t offset;
};

struct follow_page {
    struct bytes feed;
    uint64_t next;
    struct bytes walk;
    uint64_t total;
    struct bytes sha256;
    struct bytes rows;
    bool is_complete;
    struct bytes checkpoint;
};

MUST_CHECK enum rc codec_follow_request_read(struct bytes from, struct arena *arena,
                                             struct follow_request *request, struct fault *fault);
void codec_follow_request_write(const struct follow_request *request, struct buffer *out);
MUST_CHECK enum rc codec_follow_page_read(struct bytes from, struct arena *arena,
                                          struct follow_page *page, struct fault *fault);
void codec_follow_page_write(const struct follow_page *page, struct buffer *out);

/* ---- Attachments (Exchange and Federation have the same shapes) ---- */

#define ATTACHMENT_CHUNK_MAX ((size_t)256 << 10)

struct attachment_hello {
    struct id attachment_id;
    uint64_t size;
    struct bytes sha256;
    const char *to;
};

struct attachment_chunk {
    uint64_t offset;
    struct bytes data;
    struct bytes sha256;
};

MUST_CHECK enum rc codec_put_attachment_read(struct bytes from, struct arena *arena,
                                             struct attachment_hello **hello,
                                             struct attachment_chunk **chunk, struct fault *fault);
void codec_put_attachment_write(const struct attachment_hello *hello,
                                const struct attachment_chunk *chunk, struct buffer *out);
/* PutAttachmentResponse and StatAttachmentResponse. */
void codec_attachment_state_write(uint64_t offset, bool is_complete, struct buffer *out);
MUST_CHECK enum rc codec_attachment_state_read(struct bytes from, uint64_t *offset,
                                               bool *is_complete, struct fault *fault);
void codec_get_attachment_write(const struct id *id, uint64_t offset, struct buffer *out);
MUST_CHECK enum rc codec_get_attachment_read(struct bytes from, struct id *id, uint64_t *offset,
                                             struct fault *fault);
void codec_got_attachment_write(const struct attachment_chunk *chunk, uint64_t size,
                                struct buffer *out);
MUST_CHECK enum rc codec_got_attachment_read(struct bytes from, struct arena *arena,
                                             struct attachment_chunk *chunk, uint64_t *size,
                                             struct fault *fault);

/* ---- Audit ---- */

#define AUDIT_PAGE_MAX 256

/* Of one serialised question. */
#define AUDIT_QUERY_MAX 4096

struct audit_page_request {
    uint64_t from_index;
    uint32_t count;
    struct bytes purpose_commitment; /* empty after the first page */
};

struct audit_entry {
    struct bytes leaf;
    struct bytes record; /* serialised AuditRecord; see codec_record_read */
    struct bytes record_blind;
    struct path path;
};

struct audit_page {
    struct bytes checkpoint;
    struct audit_entry *entries;
    size_t entry_count;
};

/* A question: "", zero and empty ask for any. */
struct audit_query {
    struct id query_id;
    const char *reader;
    const char *origin;
    struct bytes purpose_commitment;
    int64_t from_s;
    int64_t to_s;
    const char *member;
    enum record_kind kind;
    const char *route;
    struct id exchange_id;
    struct id person;
    const char *holder;
    bool wants_tag_key;
    int64_t expires_s;
    enum message_type type;
    enum event event;
};

struct audit_query_request {
    struct bytes query;        /* serialised AuditQuery; empty after the first page */
    struct signature approval; /* empty: none */
    uint64_t from_index;
    uint32_t count;
    uint64_t seen_size;
};

struct audit_query_page {
    struct audit_page page;
    uint64_t next_index;
    uint64_t indexed_to;
    struct path consistency;
};

struct audit_closing {
    const char *purpose;
    struct bytes blind;
};

struct audit_closed {
    uint64_t index;
    uint32_t sessions;
    uint64_t records;
};

enum index_state { INDEX_UNKNOWN, INDEX_CHECKING, INDEX_FOLLOWING, INDEX_REBUILDING };

struct audit_index_state {
    enum index_state state;
    uint64_t size;
    uint64_t indexed_to;
    uint64_t rebuilt_to;
    uint64_t rebuilds;
    uint64_t rows;
    uint64_t missing;
    uint64_t extra;
    uint64_t first_leaf;
};

MUST_CHECK enum rc codec_audit_request_read(struct bytes from, struct arena *arena,
                                            struct audit_page_request *request,
                                            struct fault *fault);
void codec_audit_request_write(const struct audit_page_request *request, struct buffer *out);
MUST_CHECK enum rc codec_audit_page_read(struct bytes from, struct arena *arena,
                                         struct audit_page *page, struct fault *fault);
void codec_audit_page_write(const struct audit_page *page, struct buffer *out);

/* ---- texts of the directory ---- */

#define LAW_TEXTS_MAX 4096
#define LAW_TEXT_MAX (1u << 20)

/* The wire's values (enlace.v1.TextKind). */
enum held_kind { HELD_NONE, HELD_NETWORK, HELD_ROSTER, HELD_SUSPENSION };

struct held_text {
    enum held_kind kind;
    const char *subject;
    uint64_t version;
    struct bytes sha256;
};

void codec_fetch_request_write(const struct held_text *held, size_t count, struct buffer *out);
MUST_CHECK enum rc codec_fetch_request_read(struct bytes from, struct arena *arena,
                                            struct held_text **held, size_t *count,
                                            struct fault *fault);
void codec_fetch_response_write(const struct bytes *notes, size_t count, struct buffer *out);
MUST_CHECK enum rc codec_fetch_response_read(struct bytes from, struct arena *arena,
                                             struct bytes **notes, size_t *count,
                                             struct fault *fault);

/* ---- questions to the log ---- */

/* A serialised AuditQuery. */
MUST_CHECK enum rc codec_audit_query_read(struct bytes from, struct arena *arena,
                                          struct audit_query *query, struct fault *fault);
void codec_audit_query_write(const struct audit_query *query, struct buffer *out);
MUST_CHECK enum rc codec_query_request_read(struct bytes from, struct arena *arena,
                                            struct audit_query_request *request,
                                            struct fault *fault);
void codec_query_request_write(const struct audit_query_request *request, struct buffer *out);
MUST_CHECK enum rc codec_query_page_read(struct bytes from, struct arena *arena,
                                         struct audit_query_page *page, struct fault *fault);
void codec_query_page_write(const struct audit_query_page *page, struct buffer *out);

/* GiveTagKeyRequest: only query and approval are used. The key is the caller's to wipe. */
MUST_CHECK enum rc codec_tag_key_request_read(struct bytes from, struct arena *arena,
                                              struct audit_query_request *request,
                                              struct fault *fault);
void codec_tag_key_request_write(const struct audit_query_request *request, struct buffer *out);
MUST_CHECK enum rc codec_tag_key_read(struct bytes from, uint8_t key[HASH_SIZE], uint64_t *index,
                                      struct fault *fault);
void codec_tag_key_write(const uint8_t key[HASH_SIZE], uint64_t index, struct buffer *out);

MUST_CHECK enum rc codec_audit_closing_read(struct bytes from, struct arena *arena,
                                            struct audit_closing *closing, struct fault *fault);
void codec_audit_closing_write(const struct audit_closing *closing, struct buffer *out);
MUST_CHECK enum rc codec_audit_closed_read(struct bytes from, struct audit_closed *closed,
                                           struct fault *fault);
void codec_audit_closed_write(const struct audit_closed *closed, struct buffer *out);

MUST_CHECK enum rc codec_reindex_request_read(struct bytes from, bool *is_to_begin,
                                              struct fault *fault);
void codec_reindex_request_write(bool is_to_begin, struct buffer *out);
MUST_CHECK enum rc codec_index_state_read(struct bytes from, struct audit_index_state *state,
                                          struct fault *fault);
void codec_index_state_write(const struct audit_index_state *state, struct buffer *out);

/* ---- how a node is doing ---- */

MUST_CHECK enum rc codec_condition_request_read(struct bytes from, struct fault *fault);
void codec_condition_write(const struct condition *condition, struct buffer *out);
/* Samples of a metric that this program does not know are left out. Items live in the arena. */
MUST_CHECK enum rc codec_condition_read(struct bytes from, struct arena *arena,
                                        struct condition *condition, struct fault *fault);

#endif
