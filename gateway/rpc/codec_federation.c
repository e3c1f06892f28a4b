#include "rpc/codec_service.h"

#include "base/arena.h"
#include "rpc/codec_pb.h"

/* ---- reading ---- */

static enum rc read_hello(const Enlace__V1__PeerHello *from, struct arena *arena,
                          struct peer_hello **hello, struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, sizeof **hello, &memory, fault));
    *hello = memory;
    **hello = (struct peer_hello){.node = from->node,
                                  .origin = from->origin,
                                  .urgency = (enum urgency)from->urgency,
                                  .seen_size = from->seen_size,
                                  .directory_sha256 = pb_bytes(from->directory_sha256),
                                  .seen_checkpoint = pb_bytes(from->seen_checkpoint),
                                  .succession = pb_bytes(from->succession)};
    return RC_OK;
}

static enum rc read_question(const Enlace__V1__LineQuestion *from, struct arena *arena,
                             struct line **question, struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, sizeof **question, &memory, fault));
    *question = memory;
    (*question)->old_size = from->old_size;
    (*question)->new_size = from->new_size;
    return RC_OK;
}

static enum rc read_proof(const Enlace__V1__LineProof *from, struct arena *arena,
                          struct line **proof, struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, sizeof **proof, &memory, fault));
    *proof = memory;
    (*proof)->old_size = from->old_size;
    (*proof)->new_size = from->new_size;
    pb_path_read(from->consistency, from->n_consistency, &(*proof)->consistency);
    return RC_OK;
}

static void read_progress(const Enlace__V1__Progress *from, struct progress *to)
{
    if (from != NULL) {
        to->checkpoint = pb_bytes(from->checkpoint);
        to->old_size = from->old_size;
        pb_path_read(from->consistency, from->n_consistency, &to->consistency);
    }
}

static enum rc read_entry(const Enlace__V1__ParcelEntry *from, struct arena *arena,
                          struct parcel_entry *to, struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, sizeof *to->message, &memory, fault));
    to->message = memory;
    to->leaf = pb_bytes(from->leaf);
    pb_path_read(from->path, from->n_path, &to->path);
    return pb_message_read(from->message, arena, to->message, fault);
}

static enum rc read_parcel(const Enlace__V1__Parcel *from, struct arena *arena,
                           struct parcel **parcel, struct fault *fault)
{
    struct parcel *to;
    void *memory;

    TRY(pb_alloc(arena, sizeof *to, &memory, fault));
    to = memory;
    TRY(pb_alloc(arena, from->n_entries * sizeof *to->entries, &memory, fault));
    to->sequence = from->sequence;
    to->directory_sha256 = pb_bytes(from->directory_sha256);
    to->entries = memory;
    to->entry_count = from->n_entries;
    read_progress(from->progress, &to->progress);
    for (size_t i = 0; i < from->n_entries; i++) {
        TRY(read_entry(from->entries[i], arena, &to->entries[i], fault));
    }
    *parcel = to;
    return RC_OK;
}

enum rc codec_exchange_request_read(struct bytes from, struct arena *arena,
                                    struct exchange_part *part, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ExchangeRequest *wire;

    *part = (struct exchange_part){0};
    TRY(pb_read(SHAPE_EXCHANGE_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ExchangeRequest *)read;
    switch (wire->request_case) {
    case ENLACE__V1__EXCHANGE_REQUEST__REQUEST_HELLO:
        return read_hello(wire->hello, arena, &part->hello, fault);
    case ENLACE__V1__EXCHANGE_REQUEST__REQUEST_QUESTION:
        return read_question(wire->question, arena, &part->question, fault);
    case ENLACE__V1__EXCHANGE_REQUEST__REQUEST_PROOF:
        return read_proof(wire->proof, arena, &part->proof, fault);
    default: /* that there is one was checked */
        return read_parcel(wire->parcel, arena, &part->parcel, fault);
    }
}

static enum rc read_answer(const Enlace__V1__EntryAnswer *from, struct entry_answer *to,
                           struct fault *fault)
{
    if (from->outcome_case == ENLACE__V1__ENTRY_ANSWER__OUTCOME_REFUSAL) {
        return pb_refusal_read(from->refusal, &to->fault, fault);
    }
    to->leaf = pb_bytes(from->receipt->leaf);
    pb_path_read(from->receipt->path, from->receipt->n_path, &to->path);
    return RC_OK;
}

static enum rc read_parcel_answer(const Enlace__V1__ParcelAnswer *from, struct arena *arena,
                                  struct parcel_answer **answer, struct fault *fault)
{
    struct parcel_answer *to;
    void *memory;

    TRY(pb_alloc(arena, sizeof *to, &memory, fault));
    to = memory;
    TRY(pb_alloc(arena, from->n_answers * sizeof *to->answers, &memory, fault));
    to->sequence = from->sequence;
    to->answers = memory;
    to->answer_count = from->n_answers;
    read_progress(from->progress, &to->progress);
    for (size_t i = 0; i < from->n_answers; i++) {
        TRY(read_answer(from->answers[i], &to->answers[i], fault));
    }
    *answer = to;
    return RC_OK;
}

enum rc codec_exchange_response_read(struct bytes from, struct arena *arena,
                                     struct exchange_part *part, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ExchangeResponse *wire;

    *part = (struct exchange_part){0};
    TRY(pb_read(SHAPE_EXCHANGE_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ExchangeResponse *)read;
    switch (wire->response_case) {
    case ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_HELLO:
        return read_hello(wire->hello, arena, &part->hello, fault);
    case ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_QUESTION:
        return read_question(wire->question, arena, &part->question, fault);
    case ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_PROOF:
        return read_proof(wire->proof, arena, &part->proof, fault);
    default: /* that there is one was checked */
        return read_parcel_answer(wire->answer, arena, &part->answer, fault);
    }
}

/* ---- writing ---- */

void codec_hello_write(const struct peer_hello *hello, bool is_request, struct buffer *out)
{
    Enlace__V1__PeerHello inner;

    enlace__v1__peer_hello__init(&inner);
    inner.node = pb_text(hello->node);
    inner.origin = pb_text(hello->origin);
    inner.urgency = (Enlace__V1__Urgency)hello->urgency;
    inner.seen_size = hello->seen_size;
    inner.directory_sha256 = pb_data(hello->directory_sha256);
    inner.seen_checkpoint = pb_data(hello->seen_checkpoint);
    inner.succession = pb_data(hello->succession);
    if (is_request) {
        Enlace__V1__ExchangeRequest wire;

        enlace__v1__exchange_request__init(&wire);
        wire.request_case = ENLACE__V1__EXCHANGE_REQUEST__REQUEST_HELLO;
        wire.hello = &inner;
        pb_write(&wire.base, out);
    } else {
        Enlace__V1__ExchangeResponse wire;

        enlace__v1__exchange_response__init(&wire);
        wire.response_case = ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_HELLO;
        wire.hello = &inner;
        pb_write(&wire.base, out);
    }
}

void codec_question_write(const struct line *question, bool is_request, struct buffer *out)
{
    Enlace__V1__LineQuestion inner;
    Enlace__V1__ExchangeRequest request;
    Enlace__V1__ExchangeResponse response;

    enlace__v1__line_question__init(&inner);
    inner.old_size = question->old_size;
    inner.new_size = question->new_size;
    enlace__v1__exchange_request__init(&request);
    request.request_case = ENLACE__V1__EXCHANGE_REQUEST__REQUEST_QUESTION;
    request.question = &inner;
    enlace__v1__exchange_response__init(&response);
    response.response_case = ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_QUESTION;
    response.question = &inner;
    pb_write(is_request ? &request.base : &response.base, out);
}

void codec_proof_write(const struct line *proof, bool is_request, struct buffer *out)
{
    ProtobufCBinaryData consistency[PATH_MAX_HASHES];
    Enlace__V1__LineProof inner;
    Enlace__V1__ExchangeRequest request;
    Enlace__V1__ExchangeResponse response;

    if (!pb_path_fill(consistency, &proof->consistency)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__line_proof__init(&inner);
    inner.old_size = proof->old_size;
    inner.new_size = proof->new_size;
    inner.n_consistency = proof->consistency.count;
    inner.consistency = consistency;
    enlace__v1__exchange_request__init(&request);
    request.request_case = ENLACE__V1__EXCHANGE_REQUEST__REQUEST_PROOF;
    request.proof = &inner;
    enlace__v1__exchange_response__init(&response);
    response.response_case = ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_PROOF;
    response.proof = &inner;
    pb_write(is_request ? &request.base : &response.base, out);
}

struct pb_progress {
    Enlace__V1__Progress progress;
    ProtobufCBinaryData consistency[PATH_MAX_HASHES];
};

static bool fill_progress(struct pb_progress *to, const struct progress *from)
{
    if (!pb_path_fill(to->consistency, &from->consistency)) {
        return false;
    }
    enlace__v1__progress__init(&to->progress);
    to->progress.checkpoint = pb_data(from->checkpoint);
    to->progress.old_size = from->old_size;
    to->progress.n_consistency = from->consistency.count;
    to->progress.consistency = to->consistency;
    return true;
}

/*
 * A parcel and its answer have hundreds of entries, and messages that are serialised already; both
 * are written part by part: a tag, a length, and what protobuf-c packs of the inner message.
 */
static size_t varint_size(uint64_t value)
{
    size_t size = 1;

    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

static void put_varint(struct buffer *out, uint64_t value)
{
    while (value >= 0x80) {
        buffer_put_u8(out, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    buffer_put_u8(out, (uint8_t)value);
}

/* Fields of length-prefixed values, with numbers below 16: one byte of tag. */
static size_t field_size(size_t size)
{
    return 1 + varint_size(size) + size;
}

static void put_field(struct buffer *out, unsigned id, size_t size)
{
    buffer_put_u8(out, (uint8_t)(id << 3 | 2));
    put_varint(out, size);
}

/* What a ParcelEntry holds beside its message, which stands first. */
struct pb_entry {
    Enlace__V1__ParcelEntry rest;
    ProtobufCBinaryData path[PATH_MAX_HASHES];
    struct pb_message message;
    struct bytes message_bytes;
    size_t message_size;
    size_t size;
};

static bool fill_entry(struct pb_entry *to, const struct parcel_entry *from)
{
    if (!pb_path_fill(to->path, &from->path)) {
        return false;
    }
    to->message_bytes = from->message_bytes;
    to->message_size = from->message_bytes.size;
    if (from->message_bytes.data == NULL) {
        if (from->message == NULL || !pb_message_fill(&to->message, from->message)) {
            return false;
        }
        to->message_size = protobuf_c_message_get_packed_size(&to->message.message.base);
    }
    enlace__v1__parcel_entry__init(&to->rest);
    to->rest.leaf = pb_data(from->leaf);
    to->rest.n_path = from->path.count;
    to->rest.path = to->path;
    to->size = field_size(to->message_size) + protobuf_c_message_get_packed_size(&to->rest.base);
    return true;
}

static void put_entry(const struct pb_entry *entry, struct buffer *out)
{
    put_field(out, 4, entry->size);
    put_field(out, 1, entry->message_size);
    if (entry->message_bytes.data != NULL) {
        buffer_put_bytes(out, entry->message_bytes);
    } else {
        pb_write(&entry->message.message.base, out);
    }
    pb_write(&entry->rest.base, out);
}

/* False: an entry that cannot be written, or more than a parcel holds. */
static bool measure_parcel(const struct parcel *parcel, const Enlace__V1__Parcel *head,
                           size_t *size)
{
    *size = protobuf_c_message_get_packed_size(&head->base);
    for (size_t i = 0; i < parcel->entry_count; i++) {
        struct pb_entry entry;

        if (!fill_entry(&entry, &parcel->entries[i])) {
            return false;
        }
        *size += field_size(entry.size);
    }
    return parcel->entry_count <= PARCEL_ENTRIES_MAX && *size <= PARCEL_BYTES_MAX;
}

void codec_parcel_write(const struct parcel *parcel, struct buffer *out)
{
    Enlace__V1__Parcel head;
    struct pb_progress progress;
    size_t size;

    enlace__v1__parcel__init(&head);
    head.sequence = parcel->sequence;
    head.directory_sha256 = pb_data(parcel->directory_sha256);
    head.progress = &progress.progress;
    if (!fill_progress(&progress, &parcel->progress) || !measure_parcel(parcel, &head, &size)) {
        out->is_failed = true;
        return;
    }
    put_field(out, ENLACE__V1__EXCHANGE_REQUEST__REQUEST_PARCEL, size);
    pb_write(&head.base, out);
    for (size_t i = 0; i < parcel->entry_count; i++) {
        struct pb_entry entry;

        if (fill_entry(&entry, &parcel->entries[i])) {
            put_entry(&entry, out);
        }
    }
}

struct pb_answer {
    Enlace__V1__EntryAnswer answer;
    Enlace__V1__EntryReceipt receipt;
    Enlace__V1__Refusal refusal;
    ProtobufCBinaryData path[PATH_MAX_HASHES];
};

static bool fill_answer(struct pb_answer *to, const struct entry_answer *from)
{
    enlace__v1__entry_answer__init(&to->answer);
    if (from->fault.rc != RC_OK) {
        pb_refusal_fill(&to->refusal, &from->fault);
        to->answer.outcome_case = ENLACE__V1__ENTRY_ANSWER__OUTCOME_REFUSAL;
        to->answer.refusal = &to->refusal;
        return true;
    }
    if (!pb_path_fill(to->path, &from->path)) {
        return false;
    }
    enlace__v1__entry_receipt__init(&to->receipt);
    to->receipt.leaf = pb_data(from->leaf);
    to->receipt.n_path = from->path.count;
    to->receipt.path = to->path;
    to->answer.outcome_case = ENLACE__V1__ENTRY_ANSWER__OUTCOME_RECEIPT;
    to->answer.receipt = &to->receipt;
    return true;
}

static bool measure_answer(const struct parcel_answer *answer, const Enlace__V1__ParcelAnswer *head,
                           size_t *size)
{
    *size = protobuf_c_message_get_packed_size(&head->base);
    for (size_t i = 0; i < answer->answer_count; i++) {
        struct pb_answer entry;

        if (!fill_answer(&entry, &answer->answers[i])) {
            return false;
        }
        *size += field_size(protobuf_c_message_get_packed_size(&entry.answer.base));
    }
    return answer->answer_count <= PARCEL_ENTRIES_MAX;
}

void codec_parcel_answer_write(const struct parcel_answer *answer, struct buffer *out)
{
    Enlace__V1__ParcelAnswer head;
    struct pb_progress progress;
    size_t size;

    enlace__v1__parcel_answer__init(&head);
    head.sequence = answer->sequence;
    head.progress = &progress.progress;
    if (!fill_progress(&progress, &answer->progress) || !measure_answer(answer, &head, &size)) {
        out->is_failed = true;
        return;
    }
    put_field(out, ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_ANSWER, size);
    pb_write(&head.base, out);
    for (size_t i = 0; i < answer->answer_count; i++) {
        struct pb_answer entry;

        if (fill_answer(&entry, &answer->answers[i])) {
            put_field(out, 3, protobuf_c_message_get_packed_size(&entry.answer.base));
            pb_write(&entry.answer.base, out);
        }
    }
}
