#include "model/record.h"

#include <string.h>

void record_init(struct record *record, enum record_kind kind)
{
    *record = (struct record){
        .kind = kind,
        .from = "",
        .to = "",
        .hosted_by = "",
        .actor = "",
        .official = "",
        .catalogue_code = "",
        .occurred_on = "",
        .purpose = "",
        .legal_basis = "",
        .aviso = "",
        .route = "",
        .reason = "",
        .reason_path = "",
        .approver = "",
    };
}

static const char *const names[RECORD_KINDS] = {
    "none",          "sent",      "received", "delivered", "refused",       "refusals-counted",
    "reading",       "erasure",   "breach",   "directory", "reading-ended", "audit-closed",
    "tag-key-given", "heartbeat", "epoch",    "order",     "hold",          "release",
    "retention",     "clock",     "official", "duty",
};

const char *record_kind_name(enum record_kind kind)
{
    return names[kind];
}

enum record_kind record_kind_from_name(const char *name)
{
    for (int kind = RECORD_NONE + 1; kind < RECORD_KINDS; kind++) {
        if (strcmp(names[kind], name) == 0) {
            return (enum record_kind)kind;
        }
    }
    return RECORD_NONE;
}

bool record_is_of_exchange(enum record_kind kind)
{
    switch (kind) {
    case RECORD_SENT:
    case RECORD_RECEIVED:
    case RECORD_DELIVERED:
    case RECORD_REFUSED:
    case RECORD_CLOCK:
    case RECORD_OFFICIAL:
        return true;
    default:
        return false;
    }
}

bool record_is_of(const struct record *record, const char *member)
{
    bool is_from = strcmp(record->from, member) == 0;
    bool is_to = strcmp(record->to, member) == 0;

    switch (record->kind) {
    case RECORD_SENT:
    case RECORD_OFFICIAL:
        return is_from;
    case RECORD_RECEIVED:
    case RECORD_DELIVERED:
        return is_to;
    case RECORD_REFUSED:
    case RECORD_CLOCK:
        return is_from || is_to;
    default:
        return false;
    }
}
