/*
 * record_json - a record of the log as JSON, the same for every program: field names as in
 * enlace.v1.AuditRecord, ids as UUIDs, digests in hex; what is empty is left out.
 *
 * Pure; any thread.
 */
#ifndef CLIENT_RECORD_JSON_H
#define CLIENT_RECORD_JSON_H

#include <jansson.h>

#include "model/record.h"

struct leaf;

/* NULL when out of memory. The caller's. */
json_t *record_json(const struct leaf *leaf, const struct record *record);

/* Mexican Spanish, "" for none. */
const char *record_kind_text(enum record_kind kind);
const char *record_transfer_text(enum transfer transfer);
const char *record_consent_text(enum consent consent);
/* "Referral"; "" for none. */
const char *record_type_name(const struct record *record);
/* "identity, location" */
void record_sealed_text(uint32_t types, char *out, size_t size);

#endif
