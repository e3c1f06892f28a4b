#include "model/message.h"

#include <string.h>

void header_init(struct header *header)
{
    memset(header, 0, sizeof *header);
    header->schema = MESSAGE_SCHEMA;
    header->from = header->from_system = header->to = header->to_system = "";
    header->on_behalf_of = header->catalogue_code = header->purpose = header->legal_basis = "";
    header->aviso_id = header->aviso_version = header->consent_reference = "";
    header->plan_issuer = header->plan_id = "";
    header->decision_organ = header->decision_session = header->decision_date = "";
    header->occurred_at = header->ends_on = header->session = header->action_code = "";
    header->reason = header->competent = header->break_glass = "";
    header->notice_clock = header->notice_route = header->notice_late = "";
    header->aggregate_id = header->aggregate_from = header->aggregate_to = "";
}

enum compartment_type compartment_type(const struct compartment *compartment)
{
    uint32_t type = compartment->part & 0xff;

    return type < COMPARTMENT_TYPES ? (enum compartment_type)type : COMPARTMENT_NONE;
}

unsigned compartment_subject(const struct compartment *compartment)
{
    return compartment->part >> 8;
}

bool message_opens(const struct message *message)
{
    return id_equal(&message->header.message_id, &message->header.exchange_id);
}

bool message_wants_custody(enum message_type type)
{
    switch (type) {
    case MESSAGE_REFERRAL:
    case MESSAGE_MEASURE_REQUEST:
    case MESSAGE_MEASURE_CHANGE:
    case MESSAGE_SUPPORT_REQUEST:
    case MESSAGE_CONSULTATION:
        return true;
    default:
        return false;
    }
}

static const char *const type_names[] = {
    "Referral", "MeasureRequest", "MeasureChange", "SupportRequest", "Consultation", "StatusReport",
    "Act",      "Recall",         "Notice",        "Aggregate",
};

#define TYPE_NAMES (sizeof type_names / sizeof type_names[0])

const char *message_type_name(enum message_type type)
{
    unsigned index = (unsigned)type - MESSAGE_REFERRAL;

    return index < TYPE_NAMES ? type_names[index] : NULL;
}

enum message_type message_type_from_name(const char *name)
{
    for (size_t i = 0; i < TYPE_NAMES; i++) {
        if (strcmp(type_names[i], name) == 0) {
            return (enum message_type)(MESSAGE_REFERRAL + i);
        }
    }
    return MESSAGE_NONE;
}

const char *compartment_name(enum compartment_type type)
{
    static const char *const names[COMPARTMENT_TYPES] = {
        "",       "identity", "contact", "location",  "schedule",    "relatives",
        "health", "legal",    "social",  "narrative", "attachments",
    };

    return names[type];
}

static const char *const event_names[EVENTS] = {
    "",        "custody", "accept", "decline", "start", "in-force", "end",  "confirm",
    "dispute", "close",   "hold",   "resume",  "fail",  "purge",    "keep", "entered-in-error",
};

const char *event_name(enum event event)
{
    return event_names[event];
}

enum event event_from_name(const char *name)
{
    for (int i = EVENT_CUSTODY; i < EVENTS; i++) {
        if (strcmp(event_names[i], name) == 0) {
            return (enum event)i;
        }
    }
    return EVENT_NONE;
}
