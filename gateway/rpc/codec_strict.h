/*
 * codec_strict - walks bytes along a shape and refuses everything but the canonical encoding.
 *
 * What passes is exactly what protobuf-c would read without unknown fields and pack to the same
 * bytes, with good text, known enumeration values and sizes within bounds (codec.h names the
 * reasons; tests and a fuzzer hold the two against each other). One pass, no memory.
 * Internal to the codec. Any thread.
 */
#ifndef RPC_CODEC_STRICT_H
#define RPC_CODEC_STRICT_H

#include "base/bytes.h"
#include "model/field.h"
#include "rpc/codec_shape.h"

/* `root` begins each path of a fault, may be ""; `fields`, unless NULL, gets those present. */
MUST_CHECK enum rc strict_check(enum shape_name shape, struct bytes from, const char *root,
                                struct field_set *fields, struct fault *fault);

/* A base-128 varint, taken from the front of *rest. */
enum varint { VARINT_OK, VARINT_CUT_OFF, VARINT_PADDED };
enum varint varint_take(struct bytes *rest, uint64_t *value);

/* UTF-8 without NUL and control characters (C0, DEL, C1), line breaks apart if `has_lines`. */
bool codec_text_is_clean(struct bytes text, bool has_lines);

#endif
