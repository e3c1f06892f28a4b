/*
 * record - what the log holds of one message or event, for auditors: never a value of a field.
 *
 * Mirrors enlace.v1.AuditRecord (proto/enlace/v1/audit.proto), where each field is explained.
 */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include "model/message.h"

/* The wire's values (enlace.v1.RecordKind). */
enum record_kind {
    RECORD_NONE = 0,
    RECORD_SENT,
    RECORD_RECEIVED,
    RECORD_DELIVERED,
    RECORD_REFUSED,
    RECORD_REFUSALS_COUNTED,
    RECORD_READING,
    RECORD_ERASURE,
    RECORD_BREACH,
    RECORD_DIRECTORY,
    RECORD_READING_ENDED,
    RECORD_AUDIT_CLOSED,
    RECORD_TAG_KEY_GIVEN,
    RECORD_HEARTBEAT,
    RECORD_EPOCH,
    RECORD_ORDER,
    RECORD_HOLD,
    RECORD_RELEASE,
    RECORD_RETENTION,
    RECORD_CLOCK,
    RECORD_OFFICIAL,
    RECORD_DUTY,
    RECORD_KINDS
};

enum transfer { TRANSFER_NONE, TRANSFER_TRANSFERENCIA, TRANSFER_REMISION };

/* Texts are borrowed and never NULL once record_init has run. */
struct record {
    enum record_kind kind;
    struct id message_id;
    struct id exchange_id;
    struct id parent_exchange_id;
    const char *from;
    const char *to;
    const char *hosted_by;
    const char *actor;
    const char *official;
    enum message_type type;
    const char *catalogue_code;
    uint32_t item;
    uint32_t occurrence;
    enum event event;
    const char *occurred_on;
    enum urgency urgency;
    const char *purpose;
    const char *legal_basis;
    const char *aviso;
    enum consent consent;
    const char *route;
    struct field_set fields_sent;
    struct field_set fields_withheld;
    uint32_t sealed_types;
    struct bytes message_commitment;
    struct bytes directory_sha256;
    const char *reason;
    const char *reason_path;
    uint32_t count;
    enum transfer transfer;
    uint64_t first_index;
    struct bytes purpose_commitment;
    struct bytes purpose_blind;
    struct bytes query_sha256;
    const char *approver;
    struct bytes succession;
    struct bytes replayed_leaf;
};

void record_init(struct record *record, enum record_kind kind);
const char *record_kind_name(enum record_kind kind);
enum record_kind record_kind_from_name(const char *name); /* RECORD_NONE: none */

/*
 * Is it kept for this member: what it sent, what it received, what was refused between it and
 * another. Records of the node itself are nobody's.
 */
bool record_is_of(const struct record *record, const char *member);
/* A member's data, or its attempt to send them: not the node's own doings. */
bool record_is_of_exchange(enum record_kind kind);

#endif
