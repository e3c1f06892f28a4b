/*
 * fuzz_codec - the strict readers of the wire: what is accepted is exactly what our own packing of
 * it gives, header and compartments included.
 *
 * The first byte chooses the reader, so that seeds of one do not breed in another's corpus.
 */
#include "fuzz/fuzz.h"

#include "base/arena.h"
#include "rpc/codec.h"

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

    TRY(codec_submit_response_read(from, arena, &receipt, fault));
    codec_submit_response_write(&receipt, again);
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

static const struct {
    char name;
    enum rc (*read)(struct bytes from, struct arena *arena, struct buffer *again,
                    struct fault *fault);
} readers[] = {
    {'m', read_message}, {'s', read_submit}, {'r', read_response},
    {'R', read_results}, {'a', read_record}, {'c', read_compartment},
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
        if (readers[i].read(BYTES(data + 1, size - 1), arena, &again, &fault) == RC_OK) {
            assert(bytes_equal(buffer_bytes(&again), BYTES(data + 1, size - 1)));
        } else {
            assert(fault.rc != RC_OK && fault.reason[0] != '\0');
        }
    }
    return 0;
}
