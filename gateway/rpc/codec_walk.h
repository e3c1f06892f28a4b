/*
 * codec_walk - field after field of bytes that strict_check accepted, without copies.
 *
 * The wrappers around a message (request, parcel, entry, compartment) hold nothing but bytes, and
 * most of a message's weight: they are read where they lie. What has texts is unpacked by
 * protobuf-c (pb_unpack). Internal to the codec. Any thread.
 */
#ifndef RPC_CODEC_WALK_H
#define RPC_CODEC_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct walk_field {
    unsigned id;
    uint64_t number;    /* of a varint */
    struct bytes value; /* of anything with a length; borrowed */
};

/* Takes the next field from the front of *rest; false at the end. Only after strict_check. */
bool walk_next(struct bytes *rest, struct walk_field *field);
/* The first field; that of a oneof wrapper is its only one. */
struct walk_field walk_first(struct bytes from);

#endif
