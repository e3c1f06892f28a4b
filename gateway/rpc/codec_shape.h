/*
 * codec_shape - what each message may look like on the wire: the generated descriptors together
 * with our bounds, compiled once.
 *
 * protobuf-c reads tolerantly: it keeps unknown fields, lets the last of two scalars win, merges
 * repeated sub-messages, cuts numbers that are too wide, and looks at no text. codec_strict walks
 * the bytes along these shapes before protobuf-c sees them. Bounds stand in one table
 * (codec_bounds.c); a bytes field or a repeated field without a bound is a bug, found at the first
 * use. Internal to the codec. Any thread.
 */
#ifndef RPC_CODEC_SHAPE_H
#define RPC_CODEC_SHAPE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/message.h"

enum rule_kind {
    RULE_UINT32,
    RULE_INT64, /* and uint64 */
    RULE_BOOL,
    RULE_ENUM,
    RULE_TEXT,
    RULE_BYTES,
    RULE_MESSAGE
};

struct shape;

/* One field. */
struct rule {
    uint32_t id;
    enum rule_kind kind;
    bool is_repeated;
    bool is_in_oneof;       /* shapes have at most one oneof */
    bool is_several_lines;  /* a text that may hold line breaks */
    int8_t catalogue;       /* number in model/field; -1: not a field of a compartment */
    uint32_t count_max;     /* of a repeated field */
    uint32_t size_min;      /* of each value, when it is present */
    uint32_t size_max;      /* bytes of a text, of bytes or of a message */
    uint32_t value_max;     /* RULE_ENUM: values run from 0 to this one, without gaps */
    const struct shape *of; /* RULE_MESSAGE */
    const ProtobufCFieldDescriptor *field;
    const char *name;
};

struct shape {
    const ProtobufCMessageDescriptor *descriptor;
    const struct rule *rules; /* ascending by id */
    unsigned rule_count;      /* at most 64 */
    uint64_t required;        /* bit i: rules[i] must be there */
    uint64_t oneof;           /* bits of the rules of the oneof */
    bool is_oneof_required;
};

/* What can be read by itself. Compartments stand in the order of enum compartment_type. */
enum shape_name {
    SHAPE_NONE,
    SHAPE_IDENTITY,
    SHAPE_CONTACT,
    SHAPE_LOCATION,
    SHAPE_SCHEDULE,
    SHAPE_RELATIVES,
    SHAPE_HEALTH,
    SHAPE_LEGAL,
    SHAPE_SOCIAL,
    SHAPE_NARRATIVE,
    SHAPE_ATTACHMENTS,
    SHAPE_HEADER,
    SHAPE_MESSAGE,
    SHAPE_SUBMIT_REQUEST,
    SHAPE_SUBMIT_RESPONSE,
    SHAPE_SUBMIT_STREAM_RESPONSE,
    SHAPE_AUDIT_RECORD,
    SHAPE_ATTACH_REQUEST,
    SHAPE_ATTACH_RESPONSE,
    SHAPE_ID_REQUEST,
    SHAPE_TRACK_RESPONSE,
    SHAPE_RECEIPTS_RESPONSE,
    SHAPE_PING_RESPONSE,
    SHAPE_EXCHANGE_REQUEST,
    SHAPE_EXCHANGE_RESPONSE,
    SHAPE_ADD_CHECKPOINT_REQUEST,
    SHAPE_ADD_CHECKPOINT_RESPONSE,
    SHAPE_GET_CHECKPOINT_REQUEST,
    SHAPE_GET_CHECKPOINT_RESPONSE,
    SHAPE_PUT_ATTACHMENT_REQUEST,
    SHAPE_PUT_ATTACHMENT_RESPONSE,
    SHAPE_GET_ATTACHMENT_REQUEST,
    SHAPE_GET_ATTACHMENT_RESPONSE,
    SHAPE_REPLAY_REQUEST,
    SHAPE_REPLAY_RESPONSE,
    SHAPE_FOLLOW_REQUEST,
    SHAPE_FOLLOW_RESPONSE,
    SHAPE_GET_SEEN_REQUEST,
    SHAPE_GET_SEEN_RESPONSE,
    SHAPE_READ_RECORDS_REQUEST,
    SHAPE_READ_RECORDS_RESPONSE,
    SHAPE_ORDER,
    SHAPE_GIVE_ORDER_REQUEST,
    SHAPE_ORDER_ANSWER,
    SHAPE_READ_BLOCKED_REQUEST,
    SHAPE_READ_BLOCKED_RESPONSE,
    SHAPE_OFFICIAL_ACT,
    SHAPE_GIVE_ACT_REQUEST,
    SHAPE_GIVE_ACT_RESPONSE,
    SHAPE_LIST_AWAITING_RESPONSE,
    SHAPE_GET_AWAITING_RESPONSE,
    SHAPE_GET_WILL_RESPONSE,
    SHAPE_FETCH_DIRECTORY_REQUEST,
    SHAPE_FETCH_DIRECTORY_RESPONSE,
    SHAPE_AUDIT_QUERY,
    SHAPE_QUERY_RECORDS_REQUEST,
    SHAPE_QUERY_RECORDS_RESPONSE,
    SHAPE_GIVE_TAG_KEY_REQUEST,
    SHAPE_GIVE_TAG_KEY_RESPONSE,
    SHAPE_CLOSE_AUDIT_REQUEST,
    SHAPE_CLOSE_AUDIT_RESPONSE,
    SHAPE_GIVE_AGAIN_REQUEST,
    SHAPE_GIVE_AGAIN_RESPONSE,
    SHAPE_REINDEX_REQUEST,
    SHAPE_REINDEX_RESPONSE,
    SHAPE_GET_CONDITION_REQUEST,
    SHAPE_GET_CONDITION_RESPONSE,
    SHAPE_LIST_DUTY_REQUEST,
    SHAPE_LIST_DUTY_RESPONSE,
    SHAPE_DUTY_ANSWER,
    SHAPE_ANSWER_DUTY_REQUEST,
    SHAPE_ANSWER_DUTY_RESPONSE,
    SHAPE_WAKE_DUTY_REQUEST,
    SHAPE_WAKE_DUTY_RESPONSE,
    SHAPE_LIST_EXCHANGES_REQUEST,
    SHAPE_LIST_EXCHANGES_RESPONSE,
    SHAPE_TRACE_EXCHANGE_RESPONSE,
    SHAPE_REDELIVER_REQUEST,
    SHAPE_REDELIVER_RESPONSE,
    SHAPE_EXPORT_PARCEL_REQUEST,
    SHAPE_EXPORT_PARCEL_RESPONSE,
    SHAPE_IMPORT_PARCEL_REQUEST,
    SHAPE_IMPORT_PARCEL_RESPONSE,
    SHAPE_ROOTS
};

const struct shape *shape_get(enum shape_name name);
/* SHAPE_NONE for COMPARTMENT_NONE. */
enum shape_name shape_of_compartment(enum compartment_type type);

/* A row of the table of bounds; the rest of the fields are bounded by their type alone. */
struct bound {
    const char *message; /* short name */
    const char *field;
    bool is_required; /* of a member of a oneof: one of the oneof is */
    uint32_t count_max;
    uint32_t size_min;
    uint32_t size_max;
};

const struct bound *codec_bounds(size_t *count);

#endif
