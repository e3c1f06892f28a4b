#include "model/record.h"

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
    };
}

const char *record_kind_name(enum record_kind kind)
{
    static const char *const names[RECORD_KINDS] = {
        "none",    "sent",    "received", "delivered", "refused", "refusals-counted",
        "reading", "erasure", "breach",   "directory",
    };

    return names[kind];
}
