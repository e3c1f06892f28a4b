#include "rpc/codec_service.h"

#include "base/arena.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_strict.h"
#include "rpc/codec_walk.h"

/* Field numbers of the wrappers in federation.proto. */
enum { PARCEL_SEQUENCE = 1, PARCEL_DIRECTORY, PARCEL_PROGRESS, PARCEL_ENTRY };
enum { ENTRY_MESSAGE = 1, ENTRY_LEAF };
enum { ANSWER_SEQUENCE = 1, ANSWER_PROGRESS, ANSWER_ENTRY };
enum { RECEIPT_LEAF = 1 };

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

static enum rc read_progress(struct bytes from, struct arena *arena, struct progress *to,
                             struct fault *fault)
{
    const Enlace__V1__Progress *wire;
    ProtobufCMessage *read = NULL;

    TRY(pb_unpack_part(&enlace__v1__progress__descriptor, from, arena, &read, fault));
    wire = (const Enlace__V1__Progress *)read;
    to->checkpoint = pb_bytes(wire->checkpoint);
    to->old_size = wire->old_size;
    pb_path_read(wire->consistency, wire->n_consistency, &to->consistency);
    return RC_OK;
}

static size_t count_of(struct bytes from, unsigned id)
{
    struct walk_field field;
    size_t count = 0;

    while (walk_next(&from, &field)) {
        count += field.id == id;
    }
    return count;
}

/* Their number is within the array: the bounds' table says so. */
static void add_hash(struct path *path, struct bytes hash)
{
    path->hashes[path->count++] = hash;
}

static enum rc read_entry(struct bytes from, struct arena *arena, struct parcel_entry *to,
                          struct fault *fault)
{
    struct walk_field field;
    void *memory;

    TRY(pb_alloc(arena, sizeof *to->message, &memory, fault));
    to->message = memory;
    to->path.count = 0;
    while (walk_next(&from, &field)) {
        switch (field.id) {
        case ENTRY_MESSAGE:
            TRY(pb_message_read(field.value, arena, to->message, fault));
            break;
        case ENTRY_LEAF:
            to->leaf = field.value;
            break;
        default:
            add_hash(&to->path, field.value);
        }
    }
    return RC_OK;
}

static enum rc read_parcel(struct bytes from, struct arena *arena, struct parcel **parcel,
                           struct fault *fault)
{
    struct walk_field field;
    struct parcel *to;
    void *memory;

    TRY(pb_alloc(arena, sizeof *to, &memory, fault));
    *parcel = to = memory;
    TRY(pb_alloc(arena, count_of(from, PARCEL_ENTRY) * sizeof *to->entries, &memory, fault));
    to->entries = memory;
    while (walk_next(&from, &field)) {
        switch (field.id) {
        case PARCEL_SEQUENCE:
            to->sequence = field.number;
            break;
        case PARCEL_DIRECTORY:
            to->directory_sha256 = field.value;
            break;
        case PARCEL_PROGRESS:
            TRY(read_progress(field.value, arena, &to->progress, fault));
            break;
        default:
            TRY(read_entry(field.value, arena, &to->entries[to->entry_count++], fault));
        }
    }
    return RC_OK;
}

enum rc codec_exchange_request_read(struct bytes from, struct arena *arena,
                                    struct exchange_part *part, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ExchangeRequest *wire;
    struct walk_field only;

    *part = (struct exchange_part){0};
    TRY(strict_check(SHAPE_EXCHANGE_REQUEST, from, "", NULL, fault));
    only = walk_first(from);
    if (only.id == ENLACE__V1__EXCHANGE_REQUEST__REQUEST_PARCEL) {
        return read_parcel(only.value, arena, &part->parcel, fault);
    }
    TRY(pb_unpack(SHAPE_EXCHANGE_REQUEST, from, arena, &read, fault));
    wire = (const Enlace__V1__ExchangeRequest *)read;
    switch (wire->request_case) {
    case ENLACE__V1__EXCHANGE_REQUEST__REQUEST_HELLO:
        return read_hello(wire->hello, arena, &part->hello, fault);
    case ENLACE__V1__EXCHANGE_REQUEST__REQUEST_QUESTION:
        return read_question(wire->question, arena, &part->question, fault);
    default: /* that there is one was checked */
        return read_proof(wire->proof, arena, &part->proof, fault);
    }
}

static enum rc read_refusal(struct bytes from, struct arena *arena, struct fault *refusal,
                            struct fault *fault)
{
    ProtobufCMessage *read = NULL;

    TRY(pb_unpack_part(&enlace__v1__refusal__descriptor, from, arena, &read, fault));
    return pb_refusal_read((const Enlace__V1__Refusal *)read, refusal, fault);
}

static enum rc read_answer(struct bytes from, struct arena *arena, struct entry_answer *to,
                           struct fault *fault)
{
    struct walk_field only = walk_first(from);
    struct walk_field field;

    if (only.id == ENLACE__V1__ENTRY_ANSWER__OUTCOME_REFUSAL) {
        return read_refusal(only.value, arena, &to->fault, fault);
    }
    while (walk_next(&only.value, &field)) {
        if (field.id == RECEIPT_LEAF) {
            to->leaf = field.value;
        } else {
            add_hash(&to->path, field.value);
        }
    }
    return RC_OK;
}

static enum rc read_parcel_answer(struct bytes from, struct arena *arena,
                                  struct parcel_answer **answer, struct fault *fault)
{
    struct parcel_answer *to;
    struct walk_field field;
    void *memory;

    TRY(pb_alloc(arena, sizeof *to, &memory, fault));
    *answer = to = memory;
    TRY(pb_alloc(arena, count_of(from, ANSWER_ENTRY) * sizeof *to->answers, &memory, fault));
    to->answers = memory;
    while (walk_next(&from, &field)) {
        switch (field.id) {
        case ANSWER_SEQUENCE:
            to->sequence = field.number;
            break;
        case ANSWER_PROGRESS:
            TRY(read_progress(field.value, arena, &to->progress, fault));
            break;
        default:
            TRY(read_answer(field.value, arena, &to->answers[to->answer_count++], fault));
        }
    }
    return RC_OK;
}

enum rc codec_exchange_response_read(struct bytes from, struct arena *arena,
                                     struct exchange_part *part, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ExchangeResponse *wire;
    struct walk_field only;

    *part = (struct exchange_part){0};
    TRY(strict_check(SHAPE_EXCHANGE_RESPONSE, from, "", NULL, fault));
    only = walk_first(from);
    if (only.id == ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_ANSWER) {
        return read_parcel_answer(only.value, arena, &part->answer, fault);
    }
    TRY(pb_unpack(SHAPE_EXCHANGE_RESPONSE, from, arena, &read, fault));
    wire = (const Enlace__V1__ExchangeResponse *)read;
    switch (wire->response_case) {
    case ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_HELLO:
        return read_hello(wire->hello, arena, &part->hello, fault);
    case ENLACE__V1__EXCHANGE_RESPONSE__RESPONSE_QUESTION:
        return read_question(wire->question, arena, &part->question, fault);
    default: /* that there is one was checked */
        return read_proof(wire->proof, arena, &part->proof, fault);
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
 * are written part by part: a tag, a length, and the bytes as they are.
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

static void put_bytes(struct buffer *out, unsigned id, struct bytes value)
{
    put_field(out, id, value.size);
    buffer_put_bytes(out, value);
}

/* A leaf and its path: fields of neighbouring numbers, in an entry and in a receipt. */
static size_t proven_size(struct bytes leaf, const struct path *path)
{
    size_t size = field_size(leaf.size);

    for (size_t i = 0; i < path->count; i++) {
        size += field_size(path->hashes[i].size);
    }
    return size;
}

static void put_proven(struct buffer *out, unsigned id, struct bytes leaf, const struct path *path)
{
    put_bytes(out, id, leaf);
    for (size_t i = 0; i < path->count; i++) {
        put_bytes(out, id + 1, path->hashes[i]);
    }
}

/* False: an entry that cannot be written. */
static bool measure_entry(const struct parcel_entry *entry, size_t *message_size, size_t *size)
{
    if (entry->path.count > PATH_MAX_HASHES) {
        return false;
    }
    *message_size = entry->message_bytes.size;
    if (entry->message_bytes.data == NULL) {
        struct pb_message wire;

        if (entry->message == NULL || !pb_message_fill(&wire, entry->message)) {
            return false;
        }
        *message_size = protobuf_c_message_get_packed_size(&wire.message.base);
    }
    *size = field_size(*message_size) + proven_size(entry->leaf, &entry->path);
    return true;
}

static void put_entry(const struct parcel_entry *entry, struct buffer *out)
{
    size_t message_size;
    size_t size;

    if (!measure_entry(entry, &message_size, &size)) {
        out->is_failed = true;
        return;
    }
    put_field(out, PARCEL_ENTRY, size);
    put_field(out, ENTRY_MESSAGE, message_size);
    if (entry->message_bytes.data != NULL) {
        buffer_put_bytes(out, entry->message_bytes);
    } else {
        codec_message_write(entry->message, out);
    }
    put_proven(out, ENTRY_LEAF, entry->leaf, &entry->path);
}

/* False: an entry that cannot be written, or more than a parcel holds. */
static bool measure_parcel(const struct parcel *parcel, const Enlace__V1__Parcel *head,
                           size_t *size)
{
    *size = protobuf_c_message_get_packed_size(&head->base);
    for (size_t i = 0; i < parcel->entry_count; i++) {
        size_t message_size;
        size_t entry_size;

        if (!measure_entry(&parcel->entries[i], &message_size, &entry_size)) {
            return false;
        }
        *size += field_size(entry_size);
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
        put_entry(&parcel->entries[i], out);
    }
}

static size_t answer_size(const struct entry_answer *answer)
{
    if (answer->fault.rc != RC_OK) {
        Enlace__V1__Refusal refusal;

        pb_refusal_fill(&refusal, &answer->fault);
        return field_size(protobuf_c_message_get_packed_size(&refusal.base));
    }
    return field_size(proven_size(answer->leaf, &answer->path));
}

static void put_answer(const struct entry_answer *answer, struct buffer *out)
{
    put_field(out, ANSWER_ENTRY, answer_size(answer));
    if (answer->fault.rc != RC_OK) {
        Enlace__V1__Refusal refusal;

        pb_refusal_fill(&refusal, &answer->fault);
        put_field(out, ENLACE__V1__ENTRY_ANSWER__OUTCOME_REFUSAL,
                  protobuf_c_message_get_packed_size(&refusal.base));
        pb_write(&refusal.base, out);
        return;
    }
    put_field(out, ENLACE__V1__ENTRY_ANSWER__OUTCOME_RECEIPT,
              proven_size(answer->leaf, &answer->path));
    put_proven(out, RECEIPT_LEAF, answer->leaf, &answer->path);
}

static bool measure_answer(const struct parcel_answer *answer, const Enlace__V1__ParcelAnswer *head,
                           size_t *size)
{
    *size = protobuf_c_message_get_packed_size(&head->base);
    for (size_t i = 0; i < answer->answer_count; i++) {
        if (answer->answers[i].path.count > PATH_MAX_HASHES) {
            return false;
        }
        *size += field_size(answer_size(&answer->answers[i]));
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
        put_answer(&answer->answers[i], out);
    }
}
