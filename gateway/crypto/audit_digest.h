/*
 * audit_digest - what a reader of the log commits to, and what a second official signs.
 *
 *     purpose   SHA-256("enlace/purpose/v1" NUL ‖ blind[32] ‖ u64 length ‖ purpose)
 *     question  SHA-256("enlace/audit-query/v1" NUL ‖ u64 length ‖ serialised AuditQuery)
 *
 * The purpose stays hidden in the log until the audit closes (proto/enlace/v1/audit.proto). Pure.
 */
#ifndef CRYPTO_AUDIT_DIGEST_H
#define CRYPTO_AUDIT_DIGEST_H

#include "base/bytes.h"
#include "crypto/digest.h"

void audit_digest_purpose(struct bytes blind, const char *purpose, uint8_t commitment[DIGEST_SIZE]);
void audit_digest_query(struct bytes query, uint8_t digest[DIGEST_SIZE]);

#endif
