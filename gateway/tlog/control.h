/*
 * control - what a control leaf's record says, where whoever verifies a log has to know it.
 *
 * Such a record is an enlace.v1.AuditRecord whose blind is zeros (proto/enlace/v1/audit.proto), in
 * one form only, so that it is read without protobuf, by the store and by enlace-verify alike:
 *
 *     retention   kind = 18 | message_commitment, absent or 32 bytes | first_index > 0
 *
 * fields in this order, numbers in their shortest form, and nothing else. Records of other forms
 * say nothing here. Pure.
 *
 * Retention: audit records of leaves below first_index may be missing from here on, those of
 * control leaves excepted. message_commitment is the digest of the order by which; without one the
 * node's own setting did it.
 */
#ifndef TLOG_CONTROL_H
#define TLOG_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/digest.h"

struct leaf;

struct control_retention {
    uint64_t minimum; /* a multiple of 256: so files of a folder go as a whole */
    bool has_order;
    uint8_t order[DIGEST_SIZE];
};

#define CONTROL_MINIMUM_STEP 256

/* Appends; the form that control_retention_read takes. */
void control_retention_write(const struct control_retention *retention, struct buffer *record);
/*
 * The record (r_A ‖ audit record) that this leaf commits to says so. RC_NOT_FOUND, silently: it is
 * of something else, or no control leaf; or it moves the minimum past the leaf itself.
 */
MUST_CHECK enum rc control_retention_read(const struct leaf *leaf, struct bytes blind_and_record,
                                          struct control_retention *retention);

#endif
