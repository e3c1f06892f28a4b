/*
 * proof_json - what proves a record without the node: the leaf, the record with its blind, and a
 * C2SP tlog-proof from the leaf to the signed checkpoint. Base64 but for the proof, which is text.
 */
#ifndef CONSOLE_PROOF_JSON_H
#define CONSOLE_PROOF_JSON_H

#include <jansson.h>

#include "rpc/codec_service.h"

/* NULL when out of memory. */
json_t *proof_json(uint64_t index, const struct audit_entry *entry, struct bytes note);

#endif
