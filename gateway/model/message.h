/*
 * message - what one system says to another, decoded: plain structs over borrowed bytes.
 *
 * Mirrors proto/enlace/v1/message.proto, where each field is explained; enum values are the wire's.
 * Everything points into the bytes that were decoded or into the arena of the call: it lives as
 * long as they do. Texts are NUL-terminated and never NULL ("" when absent). rpc/codec fills and
 * writes these structs; nobody else touches protobuf.
 */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/field.h"
#include "model/id.h"

#define MESSAGE_SCHEMA 1
#define MESSAGE_BYTES_MAX ((size_t)1 << 20)
#define MESSAGE_HEADER_MAX ((size_t)64 << 10)
#define MESSAGE_COMPARTMENTS_MAX 16
#define MESSAGE_SUBJECTS_MAX 16
#define MESSAGE_SIGNATURES_MAX 4
#define MESSAGE_CLOCKS_MAX 8
#define MESSAGE_ITEMS_MAX 32
#define MESSAGE_FIGURES_MAX 256
#define MESSAGE_ATTACHMENTS_MAX 16
#define MESSAGE_TEXT_MAX 4096 /* bytes of any one text field */
#define MESSAGE_CODE_MAX 64   /* bytes of codes, ids and references */
#define BLIND_SIZE 32
#define HASH_SIZE 32

/* Field numbers of Header.content. */
enum message_type {
    MESSAGE_NONE = 0,
    MESSAGE_REFERRAL = 32,
    MESSAGE_MEASURE_REQUEST = 33,
    MESSAGE_MEASURE_CHANGE = 34,
    MESSAGE_SUPPORT_REQUEST = 35,
    MESSAGE_CONSULTATION = 36,
    MESSAGE_STATUS_REPORT = 37,
    MESSAGE_ACT = 38,
    MESSAGE_RECALL = 39,
    MESSAGE_NOTICE = 40,
    MESSAGE_AGGREGATE = 41,
};

enum urgency { URGENCY_NONE, URGENCY_ORDINARY, URGENCY_URGENT };
enum consent { CONSENT_NONE, CONSENT_GIVEN, CONSENT_IMPEDED, CONSENT_NOT_NEEDED };
enum subject_role { ROLE_NONE, ROLE_PERSON, ROLE_COLLECTIVE, ROLE_RELATIVE };
enum procedure { PROCEDURE_NONE, PROCEDURE_ORDINARY, PROCEDURE_EXTRAORDINARY };
enum out_of_band { BAND_NONE, BAND_TELEPHONE, BAND_PAPER, BAND_IN_PERSON };
enum period { PERIOD_NONE, PERIOD_ONCE, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };
enum change_kind { CHANGE_NONE, CHANGE_EXTEND, CHANGE_SUSPEND, CHANGE_LIFT, CHANGE_RENEW };

enum compartment_type {
    COMPARTMENT_NONE = 0,
    COMPARTMENT_IDENTITY,
    COMPARTMENT_CONTACT,
    COMPARTMENT_LOCATION,
    COMPARTMENT_SCHEDULE,
    COMPARTMENT_RELATIVES,
    COMPARTMENT_HEALTH,
    COMPARTMENT_LEGAL,
    COMPARTMENT_SOCIAL,
    COMPARTMENT_NARRATIVE,
    COMPARTMENT_ATTACHMENTS,
    COMPARTMENT_TYPES /* how many, with NONE */
};

/* What happens to an item; the table of legal steps is model/lifecycle. */
enum event {
    EVENT_NONE = 0,
    EVENT_CUSTODY,
    EVENT_ACCEPT,
    EVENT_DECLINE,
    EVENT_START,
    EVENT_IN_FORCE,
    EVENT_END,
    EVENT_CONFIRM,
    EVENT_DISPUTE,
    EVENT_CLOSE,
    EVENT_HOLD,
    EVENT_RESUME,
    EVENT_FAIL,
    EVENT_PURGE,
    EVENT_KEEP,
    EVENT_ENTERED_IN_ERROR,
    EVENTS
};

struct item {
    uint32_t number;
    const char *code;
    uint32_t cadence_count;
    enum period period;
    const char *ends_on;
};

struct subject {
    struct id pseudonym;
    enum subject_role role;
};

struct message_clock {
    const char *id;
    int64_t anchored_at_ms;
    int64_t due_at_ms;
};

struct seal {
    uint32_t part;
    struct bytes sha256;
};

struct figure {
    const char *name;
    int64_t value;
};

struct header {
    uint32_t schema;
    struct id message_id;
    struct id exchange_id;
    struct id parent_exchange_id; /* zero: none */
    struct id case_id;            /* zero: none */
    const char *from;
    const char *from_system;
    const char *to;
    const char *to_system;
    const char *on_behalf_of;
    enum urgency urgency;
    const char *catalogue_code;
    const char *purpose;
    const char *legal_basis;
    const char *aviso_id;
    const char *aviso_version;
    struct bytes aviso_sha256;
    enum consent consent;
    const char *consent_reference;
    struct subject subjects[MESSAGE_SUBJECTS_MAX];
    size_t subject_count;
    bool has_plan;
    const char *plan_issuer;
    const char *plan_id;
    uint32_t plan_version;
    enum procedure procedure;
    bool has_decision;
    const char *decision_organ;
    const char *decision_session;
    const char *decision_date;
    struct bytes decision_sha256;
    int64_t created_at_ms;
    const char *occurred_at; /* RFC 3339 with offset, or "" */
    enum out_of_band out_of_band;
    struct message_clock clocks[MESSAGE_CLOCKS_MAX];
    size_t clock_count;
    struct seal seals[MESSAGE_COMPARTMENTS_MAX];
    size_t seal_count;
    const char *break_glass; /* the coded reason; "": nothing is waived */
    enum message_type type;
    /* Referral, MeasureRequest, SupportRequest. */
    struct item *items;
    size_t item_count;
    /* MeasureChange, StatusReport, Act, Notice: the item that they speak of; 0: all. */
    uint32_t item;
    enum change_kind change;
    const char *ends_on;
    const char *session; /* Consultation */
    int64_t expires_at_ms;
    uint32_t occurrence; /* StatusReport */
    const char *action_code;
    struct bytes evidence_sha256; /* StatusReport, Act */
    struct id regards;            /* Act, Recall, Notice */
    enum event event;             /* Act */
    const char *reason;           /* Act, Recall */
    const char *competent;
    const char *notice_clock;
    uint32_t notice_percent;
    const char *notice_route;
    const char *notice_late;
    int64_t notice_anchored_ms;
    int64_t notice_due_ms;
    const char *aggregate_id;
    const char *aggregate_from;
    const char *aggregate_to;
    struct figure *figures;
    size_t figure_count;
};

/* What validation looks at in a clear compartment, beyond its fields' names. */
struct attachment {
    struct id id;
    const char *media_type;
    uint64_t size;
    struct bytes sha256;
    const char *title;
};

struct compartment {
    uint32_t part;        /* subject index * 256 + enum compartment_type */
    struct bytes blind;   /* BLIND_SIZE */
    struct bytes content; /* exactly as serialised or sealed by the sender's system */
    bool is_sealed;
    const char *curp;       /* of a clear identity; "" otherwise */
    const char *birth_date; /* likewise */
    const char *alcaldia;   /* of a clear location */
};

struct signature {
    struct bytes certificate; /* DER */
    struct bytes signature;   /* DER */
};

struct message {
    struct bytes bytes; /* all of it, as it travels; data NULL: composed, not read */
    struct header header;
    struct bytes header_bytes;
    struct bytes header_blind;
    struct compartment compartments[MESSAGE_COMPARTMENTS_MAX];
    size_t compartment_count;
    struct signature signatures[MESSAGE_SIGNATURES_MAX];
    size_t signature_count;
    /* Found by the codec: fields present in clear compartments, types present at all. */
    struct field_set fields;
    uint32_t clear_types;  /* bit 1 << enum compartment_type */
    uint32_t sealed_types; /* likewise */
    struct attachment *attachments;
    size_t attachment_count;
};

/* A message and what only the sender's own node may know. */
struct submission {
    struct message message;
    /* As many as subjects, or none. */
    struct id local_subjects[MESSAGE_SUBJECTS_MAX];
    size_t local_subject_count;
};

/* All texts "", all numbers 0, the schema set. */
void header_init(struct header *header);
enum compartment_type compartment_type(const struct compartment *compartment);
unsigned compartment_subject(const struct compartment *compartment);
/* Opening messages begin an exchange; the others belong to one. */
bool message_opens(const struct message *message);
/* A message whose delivery is settled by an act of custody (R2), not by an acknowledgement. */
bool message_wants_custody(enum message_type type);
/* "MeasureRequest"; NULL when there is no such type. */
const char *message_type_name(enum message_type type);
enum message_type message_type_from_name(const char *name);
const char *compartment_name(enum compartment_type type); /* "identity" */
const char *event_name(enum event event);                 /* "accept" */
enum event event_from_name(const char *name);             /* EVENT_NONE: none */

#endif
