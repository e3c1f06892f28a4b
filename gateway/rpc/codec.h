/*
 * codec - generated protobuf to model structs and back; nowhere else.
 *
 * Reading is strict: unknown fields at any depth, scalars that stand twice, fields out of order,
 * written defaults and maps are refused, by comparing header and compartments with our own packing
 * of what was read. What is read points into `from` or the arena, and lives as long as both.
 * Refusals fill the fault (RC_INVALID_ARGUMENT) with reason and path: "decode.malformed",
 * "decode.unknown_field", "decode.not_canonical", "decode.too_large", "decode.too_many",
 * "decode.text" (not UTF-8, a NUL or a control character, too long).
 *
 * Writing appends to a buffer; a buffer that failed (out of memory, bounds) stays marked.
 * Any thread; no state.
 */
#ifndef RPC_CODEC_H
#define RPC_CODEC_H

#include "base/bytes.h"
#include "model/message.h"
#include "model/receipt.h"
#include "model/record.h"

struct arena;

/* ---- messages ---- */

/* `from` is an enlace.v1.Message / a SubmitRequest (SubmitStreamRequest has the same bytes). */
MUST_CHECK enum rc codec_message_read(struct bytes from, struct arena *arena,
                                      struct message *message, struct fault *fault);
MUST_CHECK enum rc codec_submit_read(struct bytes from, struct arena *arena,
                                     struct submission *submission, struct fault *fault);

/* Serialises a header or a compartment once: what clients do, and nobody after them. */
void codec_header_write(const struct header *header, struct buffer *out);
/*
 * A compartment from field texts: numbers of model/field with their values; for repeated entries
 * `entry` numbers them. Sets exactly these fields.
 */
struct field_value {
    unsigned field;
    unsigned entry;
    const char *text;
};
MUST_CHECK enum rc codec_compartment_write(enum compartment_type type,
                                           const struct field_value *values, size_t count,
                                           struct buffer *out);
/* The fields of a clear compartment's bytes with their texts, for people to read. */
MUST_CHECK enum rc codec_compartment_read(enum compartment_type type, struct bytes from,
                                          struct arena *arena, struct field_value **values,
                                          size_t *count, struct fault *fault);

/* The Message around bytes that are already serialised: header_bytes, blinds, contents. */
void codec_message_write(const struct message *message, struct buffer *out);
void codec_submit_write(const struct submission *submission, struct buffer *out);

/* ---- receipts and results ---- */

void codec_submit_response_write(const struct receipt *receipt, struct buffer *out);
MUST_CHECK enum rc codec_submit_response_read(struct bytes from, struct arena *arena,
                                              struct receipt *receipt, struct fault *fault);
/* A SubmitStreamResponse of `count` results. */
void codec_results_write(const struct submit_result *results, size_t count, struct buffer *out);
MUST_CHECK enum rc codec_results_read(struct bytes from, struct arena *arena,
                                      struct submit_result **results, size_t *count,
                                      struct fault *fault);

/* ---- audit records ---- */

void codec_record_write(const struct record *record, struct buffer *out);
MUST_CHECK enum rc codec_record_read(struct bytes from, struct arena *arena, struct record *record,
                                     struct fault *fault);

#endif
