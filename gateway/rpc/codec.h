/*
 * codec - generated protobuf to model structs and back; nowhere else.
 *
 * Reading is strict, at every depth and in wrappers too: unknown fields, a scalar that stands
 * twice, fields out of order, defaults written out, padded or too wide numbers are refused, so that
 * what is accepted is exactly what our own writing of it gives. Required fields, sizes and counts
 * are those of one table (codec_bounds.c). What is read points into `from` or the arena, and lives
 * as long as both; out parameters are undefined after a refusal. Refusals fill the fault
 * (RC_INVALID_ARGUMENT) with reason and path ("header.items[2].code"):
 *
 *   decode.malformed      not protobuf: cut off, another wire type, a number of more than 64 bits
 *   decode.unknown_field  the path ends in the field's number
 *   decode.unknown_value  of an enumeration or a part that this schema does not know
 *   decode.not_canonical  other bytes than our own packing of it
 *   decode.missing        a field without which the rest means nothing; an id of zeros, a part or
 * an entry with nothing in it, which are written by leaving them out decode.size           of an
 * id, a blind or a digest decode.too_large      more bytes than the field or the message may have
 *   decode.too_many       more entries than the field may have
 *   decode.text           not UTF-8, or a NUL or another control character (line breaks are allowed
 *                         in a narrative only)
 *
 * RC_RESOURCE_EXHAUSTED, decode.memory: the arena is full.
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

/* Entries of a schedule and of relatives in one compartment. */
#define CODEC_ENTRIES_MAX 32
/* Results of one SubmitStreamResponse; writing more fails. */
#define CODEC_RESULTS_MAX 1024

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
 * `entry` numbers them from 0, without gaps. Sets exactly these fields; an empty text sets nothing.
 * Ids are written "0193e2a1-…", digests in hex, sizes in decimal. RC_INVALID_ARGUMENT, with nothing
 * appended: a field of another compartment, one that stands twice, or what a reader would refuse.
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

/* is_erased: the content is gone, the receipt is the old one. */
void codec_submit_response_write(const struct receipt *receipt, bool is_erased, struct buffer *out);
MUST_CHECK enum rc codec_submit_response_read(struct bytes from, struct arena *arena,
                                              struct receipt *receipt, bool *is_erased,
                                              struct fault *fault);
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
