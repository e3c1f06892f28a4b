/*
 * validate_parts - what validate.c, validate_content.c and validate_compartments.c share; relay
 * asks is_slug of texts that go into records.
 */
#ifndef POLICY_VALIDATE_PARTS_H
#define POLICY_VALIDATE_PARTS_H

#include "base/rc.h"
#include "model/message.h"

/* RC_INVALID_ARGUMENT with reason, remedy and a path made by printf: built only for a refusal. */
__attribute__((format(printf, 4, 5))) enum rc invalid(struct fault *fault, const char *reason,
                                                      const char *remedy, const char *path, ...);

/* An id, code or reference: 1 to MESSAGE_CODE_MAX visible ASCII characters. */
bool is_code(const char *text);
/* What a machine chose from a list: [a-z0-9-]{1,63}. */
bool is_slug(const char *text);
bool is_date(const char *text);
/* 32 bytes, not all zero. */
bool is_hash(struct bytes bytes);

/* What this type of message must hold, beyond what all do. */
MUST_CHECK enum rc validate_content(const struct header *header, struct fault *fault);
/* Blinds, order, seals and values; attachments. */
MUST_CHECK enum rc validate_compartments(const struct message *message, struct fault *fault);

#endif
