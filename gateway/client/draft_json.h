/*
 * draft_json - a message described in JSON, for people and scripts.
 *
 *     {"type": "MeasureRequest", "to": "cdmx/ssc", "urgency": "urgent",
 *      "catalogue_code": "PRO-COD-VIG", "purpose": "...", "legal_basis": "LPPDDHP-26",
 *      "aviso": {"id": "...", "version": "...", "sha256": "<64 hex>"},
 *      "consent": {"state": "given", "reference": "..."},
 *      "subjects": [{"pseudonym": "<uuid>", "role": "person", "local": "<uuid>"}],
 *      "items": [{"number": 1, "code": "PRO-COD-VIG", "cadence": {"count": 22, "period":
 * "month"}}], "compartments": [{"subject": 0, "type": "contact", "fields": {"phone": "..."}},
 *                       {"type": "location", "sealed": true, "fields": {"alcaldia": "09015"}},
 *                       {"type": "schedule", "sealed": true, "entries": [{"days": "..."}]}],
 *      "seal_to": ["seal.pem"]}
 *
 * Keys are the schema's field names (proto/enlace/v1/message.proto), those of the type's own
 * message at the top; instants are RFC 3339 texts with a zone; ids are UUIDs, digests 64 hex
 * digits. A subject without pseudonym, an item without number get one. Unknown and repeated keys,
 * wrong kinds and depth beyond 8 are refused with the path and the nearest name.
 */
#ifndef CLIENT_DRAFT_JSON_H
#define CLIENT_DRAFT_JSON_H

#include "client/compose.h"
#include "crypto/cms.h"

struct arena;

#define DRAFT_JSON_MAX ((size_t)4 << 20)

struct draft_file {
    struct draft draft;
    struct cert *recipients[CMS_RECIPIENTS_MAX]; /* the draft borrows them */
    size_t recipient_count;
};
void draft_file_release(struct draft_file *file);

/*
 * Texts live in the arena. RC_INVALID_ARGUMENT with "draft.json" (line and column in the remedy),
 * "draft.key", "draft.value". `from` and `from_system` are left to the caller when absent, and so
 * is created_at_ms.
 */
MUST_CHECK enum rc draft_json_read(struct bytes text, struct arena *arena, struct draft_file *file,
                                   struct fault *fault);

#endif
