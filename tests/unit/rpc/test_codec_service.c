#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "rpc/codec_service.h"
#include "unit/rpc/codec_agrees.h"
#include "unit/rpc/codec_samples.h"

#define ARENA_MAX ((size_t)32 << 20)

static void assert_bytes(struct bytes a, struct bytes b)
{
    assert_true(bytes_equal(a, b));
}

/* The writer left out no field, and the reader lost none: written again it is the same. */
static void assert_whole(enum shape_name shape, struct bytes written, const struct buffer *again)
{
    assert_true(holds_every_field(shape, written));
    assert_bytes(buffer_bytes(again), written);
}

static struct receipt sample_receipt(enum receipt_level level)
{
    return (struct receipt){level, sample_leaf(), bytes_text("c2sp.org/tlog-proof@v1\nindex 7\n")};
}

static struct path sample_path(size_t count)
{
    struct path path = {.count = count};

    for (size_t i = 0; i < count && i < PATH_MAX_HASHES; i++) {
        path.hashes[i] = sample_hash((unsigned)i);
    }
    return path;
}

static void assert_path(const struct path *a, const struct path *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_bytes(a->hashes[i], b->hashes[i]);
    }
}

/* ---- Attach ---- */

static void attach_requests_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    struct attach_request request = {
        .kind = ATTACH_HELLO, .urgency = URGENCY_URGENT, .window = 256};
    struct attach_request read;
    struct sample sample;

    (void)state;
    codec_attach_request_write(&request, &bytes);
    assert_int_equal(codec_attach_request_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.kind, ATTACH_HELLO);
    assert_int_equal(read.urgency, URGENCY_URGENT);
    assert_int_equal(read.window, 256);

    buffer_clear(&bytes);
    request = (struct attach_request){.kind = ATTACH_ACKNOWLEDGEMENT, .message_id = sample_id(9)};
    codec_attach_request_write(&request, &bytes);
    assert_int_equal(codec_attach_request_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.kind, ATTACH_ACKNOWLEDGEMENT);
    assert_true(id_equal(&read.message_id, &request.message_id));

    buffer_clear(&bytes);
    assert_true(sample_make(&sample, MESSAGE_ACT));
    request = (struct attach_request){.kind = ATTACH_SUBMISSION, .submission = &sample.submission};
    codec_attach_request_write(&request, &bytes);
    assert_int_equal(codec_attach_request_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.kind, ATTACH_SUBMISSION);
    assert_int_equal(read.submission->message.header.event, EVENT_DECLINE);
    assert_int_equal(read.submission->local_subject_count, 2);
    codec_attach_request_write(&read, &again);
    assert_whole(SHAPE_ATTACH_REQUEST, buffer_bytes(&bytes), &again);
    sample_release(&sample);

    buffer_clear(&bytes);
    request.kind = ATTACH_NONE;
    codec_attach_request_write(&request, &bytes);
    assert_true(bytes.is_failed);
}

static void deliveries_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    struct attach_response response = {.kind = ANSWER_DELIVERY};
    struct attach_response read;
    struct sample sample;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_REFERRAL));
    response.delivery.message = &sample.submission.message;
    response.delivery.receipt = sample_receipt(RECEIPT_RECEIVED);
    response.delivery.sender_receipt = sample_receipt(RECEIPT_HELD);
    response.delivery.is_redelivered = true;
    response.delivery.was_settled = true;
    codec_attach_response_write(&response, &bytes);
    assert_int_equal(codec_attach_response_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.kind, ANSWER_DELIVERY);
    assert_bytes(read.delivery.message->header_bytes, sample.submission.message.header_bytes);
    assert_int_equal(read.delivery.receipt.level, RECEIPT_RECEIVED);
    assert_int_equal(read.delivery.sender_receipt.level, RECEIPT_HELD);
    assert_true(read.delivery.is_redelivered && read.delivery.was_settled);
    codec_attach_response_write(&read, &again);
    assert_whole(SHAPE_ATTACH_RESPONSE, buffer_bytes(&bytes), &again);

    buffer_clear(&bytes);
    response.delivery.sender_receipt = (struct receipt){.level = RECEIPT_NONE};
    codec_attach_response_write(&response, &bytes);
    assert_int_equal(codec_attach_response_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.delivery.sender_receipt.level, RECEIPT_NONE);
    sample_release(&sample);
}

static void results_and_settlements_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct attach_response response = {.kind = ANSWER_SETTLED, .settled = sample_id(3)};
    struct attach_response read;

    (void)state;
    codec_attach_response_write(&response, &bytes);
    assert_int_equal(codec_attach_response_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.kind, ANSWER_SETTLED);
    assert_true(id_equal(&read.settled, &response.settled));

    buffer_clear(&bytes);
    response =
        (struct attach_response){.kind = ANSWER_RESULT, .result = {.message_id = sample_id(4)}};
    response.result.receipt = sample_receipt(RECEIPT_HELD);
    codec_attach_response_write(&response, &bytes);
    assert_int_equal(codec_attach_response_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.kind, ANSWER_RESULT);
    assert_bytes(read.result.receipt.leaf, sample_leaf());
}

/* ---- unary ---- */

static void ids_and_offsets_are_read_without_memory(void **state)
{
    OWN(buffer) bytes = {0};
    struct id id = sample_id(7);
    struct id read;
    uint64_t offset = 1;
    bool is_complete = true;

    (void)state;
    codec_id_request_write(&id, &bytes);
    assert_int_equal(codec_id_request_read(buffer_bytes(&bytes), &read, NULL), RC_OK);
    assert_true(id_equal(&read, &id));
    assert_int_equal(codec_id_request_read(BYTES("", 0), &read, NULL), RC_INVALID_ARGUMENT);

    for (uint64_t at = 0; at < 40; at += 13) {
        buffer_clear(&bytes);
        codec_get_attachment_write(&id, at << 30, &bytes);
        assert_int_equal(codec_get_attachment_read(buffer_bytes(&bytes), &read, &offset, NULL),
                         RC_OK);
        assert_true(id_equal(&read, &id) && offset == at << 30);
        buffer_clear(&bytes);
        codec_attachment_state_write(at << 30, at == 13, &bytes);
        assert_int_equal(
            codec_attachment_state_read(buffer_bytes(&bytes), &offset, &is_complete, NULL), RC_OK);
        assert_true(offset == at << 30 && is_complete == (at == 13));
    }
}

static void states_receipts_and_pings_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    struct track track = {
        .exchange_id = sample_id(1),
        .from = "cdmx/mpi",
        .to = "cdmx/ssc",
        .items = {{.number = 1,
                   .code = "PRO-COD-VIG",
                   .state = STATE_IN_FORCE,
                   .occurrences = 12,
                   .changed_at_ms = 99,
                   .responsible = "cdmx/ssc",
                   .occurrence_due_ms = 100,
                   .missing = 2,
                   .ends_on = "2026-12-12",
                   .is_suspended = true,
                   .reason = "no-competente",
                   .competent = "cdmx/dif",
                   .cadence_count = 1,
                   .period = PERIOD_WEEK},
                  {.number = 2,
                   .code = "ATN-GEN",
                   .state = STATE_DECLINED,
                   .changed_at_ms = 7,
                   .responsible = "cdmx/mpi",
                   .ends_on = "",
                   .reason = "no-competente",
                   .competent = "cdmx/dif"}},
        .item_count = 2,
        .clocks = {{.id = "F1",
                    .item = 3,
                    .anchor = "opening",
                    .stop = "R3",
                    .anchored = {5, 9, BAND_TELEPHONE},
                    .due_at_ms = 3600005,
                    .stopped = {7, 8, BAND_PAPER},
                    .is_overdue = true,
                    .percent_left = 99,
                    .told = 50,
                    .late = "cdmx/ssc"},
                   {.id = "F2", .item = 2, .anchor = "R3", .stop = "R4", .late = "cdmx/ssc"}},
        .clock_count = 2,
        .now_ms = 11,
        .urgency = URGENCY_URGENT,
        .route = "mpi-ssc-medidas",
        .opened = {5, 9, BAND_TELEPHONE},
        .expires_at_ms = 77,
        .type = MESSAGE_MEASURE_REQUEST,
        .received_at_ms = 5,
        .parent_exchange_id = sample_id(2)};
    struct track track_read;
    struct receipts receipts = {
        .message_commitment = sample_hash(1),
        .items = {sample_receipt(RECEIPT_HELD), sample_receipt(RECEIPT_RECEIVED)},
        .count = 2};
    struct receipts receipts_read;
    struct ping ping = {"spiffe://enlace.cdmx/member/ssc/system/adapter", "cdmx/ssc", 17,
                        sample_hash(2)};
    struct ping ping_read;

    (void)state;
    codec_track_write(&track, &bytes);
    assert_int_equal(codec_track_read(buffer_bytes(&bytes), arena, &track_read, NULL), RC_OK);
    assert_int_equal(track_read.item_count, 2);
    assert_int_equal(track_read.items[0].state, STATE_IN_FORCE);
    assert_int_equal(track_read.items[0].occurrences, 12);
    assert_string_equal(track_read.items[1].code, "ATN-GEN");
    assert_string_equal(track_read.items[1].competent, "cdmx/dif");
    assert_int_equal(track_read.items[0].period, PERIOD_WEEK);
    assert_int_equal(track_read.clock_count, 2);
    assert_int_equal(track_read.clocks[0].anchored.band, BAND_TELEPHONE);
    assert_int_equal(track_read.clocks[1].anchored.occurred_at_ms, 0);
    assert_true(id_equal(&track_read.parent_exchange_id, &track.parent_exchange_id));
    codec_track_write(&track_read, &again);
    assert_whole(SHAPE_TRACK_RESPONSE, buffer_bytes(&bytes), &again);

    buffer_clear(&bytes);
    codec_receipts_write(&receipts, &bytes);
    assert_int_equal(codec_receipts_read(buffer_bytes(&bytes), arena, &receipts_read, NULL), RC_OK);
    assert_int_equal(receipts_read.count, 2);
    assert_int_equal(receipts_read.items[1].level, RECEIPT_RECEIVED);
    assert_bytes(receipts_read.message_commitment, sample_hash(1));
    buffer_clear(&again);
    codec_receipts_write(&receipts_read, &again);
    assert_whole(SHAPE_RECEIPTS_RESPONSE, buffer_bytes(&bytes), &again);

    buffer_clear(&bytes);
    codec_ping_write(&ping, &bytes);
    assert_int_equal(codec_ping_read(buffer_bytes(&bytes), arena, &ping_read, NULL), RC_OK);
    assert_string_equal(ping_read.you, ping.you);
    assert_int_equal(ping_read.time_ms, 17);
    buffer_clear(&again);
    codec_ping_write(&ping_read, &again);
    assert_whole(SHAPE_PING_RESPONSE, buffer_bytes(&bytes), &again);
}

/* ---- attachments ---- */

static void attachments_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    const struct attachment_hello hello = {sample_id(1), 200 << 20, sample_hash(1), "cdmx/ssc"};
    const struct attachment_chunk chunk = {1 << 20, bytes_text("pieza"), sample_hash(2)};
    struct attachment_hello *hello_read = NULL;
    struct attachment_chunk *chunk_read = NULL;
    struct attachment_chunk got;
    uint64_t size = 0;

    (void)state;
    codec_put_attachment_write(&hello, NULL, &bytes);
    assert_int_equal(
        codec_put_attachment_read(buffer_bytes(&bytes), arena, &hello_read, &chunk_read, NULL),
        RC_OK);
    assert_null(chunk_read);
    assert_int_equal(hello_read->size, 200 << 20);
    assert_string_equal(hello_read->to, "cdmx/ssc");
    codec_put_attachment_write(hello_read, NULL, &again);
    assert_whole(SHAPE_PUT_ATTACHMENT_REQUEST, buffer_bytes(&bytes), &again);

    buffer_clear(&bytes);
    codec_put_attachment_write(NULL, &chunk, &bytes);
    assert_int_equal(
        codec_put_attachment_read(buffer_bytes(&bytes), arena, &hello_read, &chunk_read, NULL),
        RC_OK);
    assert_null(hello_read);
    assert_bytes(chunk_read->data, chunk.data);

    buffer_clear(&bytes);
    codec_got_attachment_write(&chunk, 77, &bytes);
    assert_int_equal(codec_got_attachment_read(buffer_bytes(&bytes), arena, &got, &size, NULL),
                     RC_OK);
    assert_int_equal(size, 77);
    buffer_clear(&again);
    codec_got_attachment_write(&got, size, &again);
    assert_whole(SHAPE_GET_ATTACHMENT_RESPONSE, buffer_bytes(&bytes), &again);
}

static void a_chunk_too_large_is_refused(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    uint8_t *data = calloc(1, ATTACHMENT_CHUNK_MAX + 1);
    struct attachment_chunk chunk = {0, BYTES(data, ATTACHMENT_CHUNK_MAX), sample_hash(2)};
    struct attachment_hello *hello = NULL;
    struct attachment_chunk *read = NULL;
    struct fault fault = {0};

    (void)state;
    codec_put_attachment_write(NULL, &chunk, &bytes);
    assert_int_equal(codec_put_attachment_read(buffer_bytes(&bytes), arena, &hello, &read, NULL),
                     RC_OK);
    chunk.data.size++;
    buffer_clear(&bytes);
    codec_put_attachment_write(NULL, &chunk, &bytes);
    assert_int_equal(codec_put_attachment_read(buffer_bytes(&bytes), arena, &hello, &read, &fault),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "decode.too_large");
    assert_string_equal(fault.path, "chunk.data");
    free(data);
}

/* ---- federation ---- */

static void hellos_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    const struct peer_hello hello = {"spiffe://enlace.cdmx/node/ssc",
                                     "gw.ssc/audit/2026",
                                     URGENCY_URGENT,
                                     17,
                                     sample_hash(1),
                                     bytes_text("note"),
                                     bytes_text("statement")};
    struct exchange_part read;

    (void)state;
    codec_hello_write(&hello, true, &bytes);
    assert_int_equal(codec_exchange_request_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_null(read.parcel);
    assert_string_equal(read.hello->origin, hello.origin);
    assert_bytes(read.hello->seen_checkpoint, hello.seen_checkpoint);
    assert_bytes(read.hello->succession, hello.succession);
    codec_hello_write(read.hello, true, &again);
    assert_whole(SHAPE_EXCHANGE_REQUEST, buffer_bytes(&bytes), &again);
    buffer_clear(&bytes);
    codec_hello_write(&hello, false, &bytes);
    assert_int_equal(codec_exchange_response_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_null(read.answer);
    assert_int_equal(read.hello->seen_size, 17);
}

static void what_a_witness_is_asked_is_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct line later = {.old_size = 5, .new_size = 9, .consistency = sample_path(3)};
    const struct add_response response = {409, 17, bytes_text("line")};
    struct add_request request = {.body = bytes_text("old 0")};
    struct add_request read;
    struct add_response answer;
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};

    (void)state;
    codec_add_request_write(&request, &bytes);
    assert_int_equal(codec_add_request_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_bytes(read.body, request.body);
    assert_null(read.later);
    request.later = &later;
    buffer_clear(&bytes);
    codec_add_request_write(&request, &bytes);
    assert_int_equal(codec_add_request_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.later->new_size, 9);
    assert_int_equal(read.later->consistency.count, 3);
    codec_add_request_write(&read, &again);
    assert_whole(SHAPE_ADD_CHECKPOINT_REQUEST, buffer_bytes(&bytes), &again);
    buffer_clear(&bytes);
    buffer_clear(&again);
    codec_add_response_write(&response, &bytes);
    assert_int_equal(codec_add_response_read(buffer_bytes(&bytes), arena, &answer, NULL), RC_OK);
    assert_int_equal(answer.status, 409);
    assert_int_equal(answer.size, 17);
    codec_add_response_write(&answer, &again);
    assert_whole(SHAPE_ADD_CHECKPOINT_RESPONSE, buffer_bytes(&bytes), &again);
}

static void origins_and_notes_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    const char *origin = NULL;
    struct bytes note;

    (void)state;
    codec_origin_write("gw.ssc/audit/2026", &bytes);
    assert_int_equal(codec_origin_read(buffer_bytes(&bytes), arena, &origin, NULL), RC_OK);
    assert_string_equal(origin, "gw.ssc/audit/2026");
    codec_origin_write(origin, &again);
    assert_whole(SHAPE_GET_CHECKPOINT_REQUEST, buffer_bytes(&bytes), &again);
    buffer_clear(&bytes);
    buffer_clear(&again);
    codec_note_write(bytes_text("note"), &bytes);
    assert_int_equal(codec_note_read(buffer_bytes(&bytes), arena, &note, NULL), RC_OK);
    assert_true(bytes_are_text(note, "note"));
    codec_note_write(note, &again);
    assert_whole(SHAPE_GET_CHECKPOINT_RESPONSE, buffer_bytes(&bytes), &again);
    buffer_clear(&bytes);
    codec_note_write((struct bytes){0}, &bytes);
    assert_int_equal(codec_note_read(buffer_bytes(&bytes), arena, &note, NULL), RC_OK);
    assert_int_equal(note.size, 0);
}

static void questions_and_proofs_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    const struct line line = {.old_size = 5, .new_size = 9, .consistency = sample_path(3)};

    (void)state;
    for (int is_request = 0; is_request < 2; is_request++) {
        enum shape_name shape = is_request ? SHAPE_EXCHANGE_REQUEST : SHAPE_EXCHANGE_RESPONSE;
        enum rc (*read_part)(struct bytes, struct arena *, struct exchange_part *, struct fault *) =
            is_request ? codec_exchange_request_read : codec_exchange_response_read;
        OWN(buffer) bytes = {0};
        OWN(buffer) again = {0};
        struct exchange_part read;

        codec_question_write(&line, is_request, &bytes);
        assert_int_equal(read_part(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
        assert_true(read.question != NULL && read.proof == NULL && read.hello == NULL);
        assert_int_equal(read.question->old_size, 5);
        assert_int_equal(read.question->new_size, 9);
        buffer_clear(&bytes);
        codec_proof_write(&line, is_request, &bytes);
        assert_int_equal(read_part(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
        assert_true(read.proof != NULL && read.question == NULL);
        assert_int_equal(read.proof->new_size, 9);
        assert_path(&read.proof->consistency, &line.consistency);
        codec_proof_write(read.proof, is_request, &again);
        assert_whole(shape, buffer_bytes(&bytes), &again);
    }
}

static struct progress sample_progress(void)
{
    return (struct progress){.checkpoint = bytes_text("gw.ssc/audit/2026\n7\n"),
                             .old_size = 5,
                             .consistency = sample_path(3)};
}

static void parcels_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) message = {0};
    OWN(buffer) again = {0};
    struct parcel_entry entries[3];
    struct parcel parcel = {.sequence = 300,
                            .directory_sha256 = sample_hash(9),
                            .progress = sample_progress(),
                            .entries = entries,
                            .entry_count = 3};
    struct exchange_part part;
    struct parcel *read = NULL;
    struct sample sample;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_MEASURE_REQUEST));
    codec_message_write(&sample.submission.message, &message);
    for (size_t i = 0; i < 3; i++) {
        entries[i] = (struct parcel_entry){.message = &sample.submission.message,
                                           .leaf = sample_leaf(),
                                           .path = sample_path(40 - 20 * i)};
    }
    entries[1].message = NULL; /* as a node forwards it */
    entries[1].message_bytes = buffer_bytes(&message);
    codec_parcel_write(&parcel, &bytes);
    assert_false(bytes.is_failed);
    assert_int_equal(codec_exchange_request_read(buffer_bytes(&bytes), arena, &part, NULL), RC_OK);
    read = part.parcel;
    assert_null(part.hello);
    assert_int_equal(read->sequence, 300);
    assert_bytes(read->directory_sha256, sample_hash(9));
    assert_path(&read->progress.consistency, &parcel.progress.consistency);
    assert_int_equal(read->entry_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_path(&read->entries[i].path, &entries[i].path);
        buffer_clear(&again);
        codec_message_write(read->entries[i].message, &again);
        assert_bytes(buffer_bytes(&again), buffer_bytes(&message));
    }
    buffer_clear(&again);
    codec_parcel_write(read, &again);
    assert_whole(SHAPE_EXCHANGE_REQUEST, buffer_bytes(&bytes), &again);
    sample_release(&sample);
}

static void parcels_have_bounds(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct parcel_entry *entries = calloc(PARCEL_ENTRIES_MAX + 1, sizeof *entries);
    struct parcel parcel = {.sequence = 1, .progress = sample_progress(), .entries = entries};
    struct exchange_part part;
    struct parcel *read = NULL;
    struct sample sample;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_REFERRAL));
    for (size_t i = 0; i <= PARCEL_ENTRIES_MAX; i++) {
        entries[i] = (struct parcel_entry){
            .message = &sample.submission.message, .leaf = sample_leaf(), .path = sample_path(2)};
    }
    parcel.entry_count = PARCEL_ENTRIES_MAX;
    codec_parcel_write(&parcel, &bytes);
    assert_int_equal(codec_exchange_request_read(buffer_bytes(&bytes), arena, &part, NULL), RC_OK);
    read = part.parcel;
    assert_int_equal(read->entry_count, PARCEL_ENTRIES_MAX);
    buffer_clear(&bytes);
    parcel.entry_count++;
    codec_parcel_write(&parcel, &bytes);
    assert_true(bytes.is_failed);
    buffer_clear(&bytes);
    parcel.entry_count = 1;
    entries[0].path.count = PATH_MAX_HASHES + 1;
    codec_parcel_write(&parcel, &bytes);
    assert_true(bytes.is_failed);
    assert_int_equal(bytes.size, 0);
    free(entries);
    sample_release(&sample);
}

static void answers_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    struct entry_answer answers[2] = {{.leaf = sample_leaf(), .path = sample_path(7)}};
    struct parcel_answer answer = {
        .sequence = 300, .progress = sample_progress(), .answers = answers, .answer_count = 2};
    struct exchange_part part;
    struct parcel_answer *read = NULL;

    (void)state;
    refuse(&answers[1].fault, RC_PERMISSION_DENIED, "route.none", "header.to", "No hay ruta.");
    codec_parcel_answer_write(&answer, &bytes);
    assert_int_equal(codec_exchange_response_read(buffer_bytes(&bytes), arena, &part, NULL), RC_OK);
    read = part.answer;
    assert_null(part.hello);
    assert_int_equal(read->answer_count, 2);
    assert_int_equal(read->answers[0].fault.rc, RC_OK);
    assert_path(&read->answers[0].path, &answers[0].path);
    assert_int_equal(read->answers[1].fault.rc, RC_PERMISSION_DENIED);
    assert_string_equal(read->answers[1].fault.reason, "route.none");
    codec_parcel_answer_write(read, &again);
    assert_whole(SHAPE_EXCHANGE_RESPONSE, buffer_bytes(&bytes), &again);
}

/* ---- audit ---- */

static void audit_pages_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    const struct audit_page_request request = {1000, 256, sample_hash(5)};
    struct audit_page_request request_read;
    struct audit_entry entries[2] = {
        {sample_leaf(), bytes_text("registro"), sample_hash(1), sample_path(10)},
        {.leaf = sample_leaf(), .path = sample_path(0)},
    };
    const struct audit_page page = {bytes_text("gw.ssc/audit/2026\n7\n"), entries, 2};
    struct audit_page read;

    (void)state;
    codec_audit_request_write(&request, &bytes);
    assert_int_equal(codec_audit_request_read(buffer_bytes(&bytes), arena, &request_read, NULL),
                     RC_OK);
    assert_int_equal(request_read.from_index, 1000);
    assert_bytes(request_read.purpose_commitment, request.purpose_commitment);
    codec_audit_request_write(&request_read, &again);
    assert_whole(SHAPE_READ_RECORDS_REQUEST, buffer_bytes(&bytes), &again);
    buffer_clear(&bytes);
    codec_audit_page_write(&page, &bytes);
    assert_int_equal(codec_audit_page_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_bytes(read.checkpoint, page.checkpoint);
    assert_int_equal(read.entry_count, 2);
    assert_bytes(read.entries[0].record, entries[0].record);
    assert_path(&read.entries[0].path, &entries[0].path);
    assert_int_equal(read.entries[1].record.size, 0);
    buffer_clear(&again);
    codec_audit_page_write(&read, &again);
    assert_whole(SHAPE_READ_RECORDS_RESPONSE, buffer_bytes(&bytes), &again);
}

static void what_was_seen_is_asked_and_told_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    const char *origin = NULL;
    struct bytes note;

    (void)state;
    codec_get_seen_write("gw.ssc/audit/2026", &bytes);
    assert_int_equal(codec_get_seen_read(buffer_bytes(&bytes), arena, &origin, NULL), RC_OK);
    assert_string_equal(origin, "gw.ssc/audit/2026");
    codec_get_seen_write(origin, &again);
    assert_whole(SHAPE_GET_SEEN_REQUEST, buffer_bytes(&bytes), &again);
    buffer_clear(&bytes);
    codec_seen_write(bytes_text("note"), &bytes);
    assert_int_equal(codec_seen_read(buffer_bytes(&bytes), arena, &note, NULL), RC_OK);
    buffer_clear(&again);
    codec_seen_write(note, &again);
    assert_whole(SHAPE_GET_SEEN_RESPONSE, buffer_bytes(&bytes), &again);
}

static void replays_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) message_bytes = {0};
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    const struct replay_request request = {"gw.ssc/audit/2026-2", bytes_text("statement"), 1000, 7};
    struct replay_request request_read;
    struct replay_entry entries[2] = {{.leaf = sample_leaf(),
                                       .path = sample_path(10),
                                       .old_leaf = sample_leaf(),
                                       .old_proof = bytes_text("c2sp.org/tlog-proof@v1")}};
    struct replay_page page = {.progress = sample_progress(),
                               .entries = entries,
                               .entry_count = 2,
                               .next_index = 77,
                               .is_complete = true};
    struct replay_page read;
    struct sample sample;

    (void)state;
    codec_replay_request_write(&request, &bytes);
    assert_int_equal(codec_replay_request_read(buffer_bytes(&bytes), arena, &request_read, NULL),
                     RC_OK);
    assert_true(request_read.from_index == 1000 && request_read.seen_size == 7);
    codec_replay_request_write(&request_read, &again);
    assert_whole(SHAPE_REPLAY_REQUEST, buffer_bytes(&bytes), &again);
    assert_true(sample_make(&sample, MESSAGE_MEASURE_REQUEST));
    codec_message_write(&sample.submission.message, &message_bytes);
    entries[0].message_bytes = buffer_bytes(&message_bytes);
    entries[1] = entries[0];
    buffer_clear(&bytes);
    codec_replay_page_write(&page, &bytes);
    assert_int_equal(codec_replay_page_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.entry_count, 2);
    assert_true(read.next_index == 77 && read.is_complete);
    assert_path(&read.entries[1].path, &entries[1].path);
    assert_bytes(read.entries[1].old_proof, entries[1].old_proof);
    buffer_clear(&again);
    codec_replay_page_write(&read, &again);
    assert_whole(SHAPE_REPLAY_RESPONSE, buffer_bytes(&bytes), &again);
    sample_release(&sample);
}

static void a_followers_pages_are_read_as_written(void **state)
{
    static const uint8_t feed[FOLLOW_FEED_SIZE] = {7, 8};
    static const uint8_t digest[32] = {9};
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    const struct follow_request request = {BYTES_OF(feed), 12, bytes_text("\6commitk"), 2000000};
    struct follow_request request_read;
    struct follow_page page = {.feed = BYTES_OF(feed),
                               .next = 13,
                               .walk = bytes_text("\3tag0"),
                               .total = 3000000,
                               .sha256 = BYTES_OF(digest),
                               .rows = bytes_text("rows"),
                               .is_complete = true,
                               .checkpoint = bytes_text("gw.ssc/audit/2026")};
    struct follow_page read;

    (void)state;
    codec_follow_request_write(&request, &bytes);
    assert_int_equal(codec_follow_request_read(buffer_bytes(&bytes), arena, &request_read, NULL),
                     RC_OK);
    assert_true(request_read.next == 12 && request_read.offset == 2000000);
    codec_follow_request_write(&request_read, &again);
    assert_whole(SHAPE_FOLLOW_REQUEST, buffer_bytes(&bytes), &again);
    buffer_clear(&bytes);
    codec_follow_page_write(&page, &bytes);
    assert_int_equal(codec_follow_page_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_true(read.next == 13 && read.total == 3000000 && read.is_complete);
    assert_bytes(read.rows, page.rows);
    buffer_clear(&again);
    codec_follow_page_write(&read, &again);
    assert_whole(SHAPE_FOLLOW_RESPONSE, buffer_bytes(&bytes), &again);
    page.feed.size--; /* a feed's id has its size */
    buffer_clear(&bytes);
    codec_follow_page_write(&page, &bytes);
    assert_int_equal(codec_follow_page_read(buffer_bytes(&bytes), arena, &read, NULL),
                     RC_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attach_requests_are_read_as_written),
        cmocka_unit_test(deliveries_are_read_as_written),
        cmocka_unit_test(results_and_settlements_are_read_as_written),
        cmocka_unit_test(ids_and_offsets_are_read_without_memory),
        cmocka_unit_test(states_receipts_and_pings_are_read_as_written),
        cmocka_unit_test(attachments_are_read_as_written),
        cmocka_unit_test(a_chunk_too_large_is_refused),
        cmocka_unit_test(hellos_are_read_as_written),
        cmocka_unit_test(what_a_witness_is_asked_is_read_as_written),
        cmocka_unit_test(origins_and_notes_are_read_as_written),
        cmocka_unit_test(questions_and_proofs_are_read_as_written),
        cmocka_unit_test(parcels_are_read_as_written),
        cmocka_unit_test(parcels_have_bounds),
        cmocka_unit_test(answers_are_read_as_written),
        cmocka_unit_test(audit_pages_are_read_as_written),
        cmocka_unit_test(what_was_seen_is_asked_and_told_as_written),
        cmocka_unit_test(replays_are_read_as_written),
        cmocka_unit_test(a_followers_pages_are_read_as_written),
    };

    return cmocka_run_group_tests_name("codec_service", tests, NULL, NULL);
}
