/*
 * official_rules - is this act of a named official well-formed, and did the official sign it?
 *
 * The caller's own certificate signs: of an official in force, in the roster by fingerprint, over
 * the act's digest D (tlog/commit, crypto/actsig). Refusals:
 *
 *     act.member              of another member than the official's
 *     act.kind                no such act
 *     act.id                  no UUIDv7
 *     act.reason              not a code: it goes into a record that nobody can erase
 *     act.age                 made more than a day ago, or in the future
 *     act.missing             what this kind of act is about, or the signature that it adds
 *     signature.not_official  not by the official who brings it
 *     signature.invalid       not over this act, or a certificate that no CA vouches for
 *
 * Pure but for crypto's log lines; any thread.
 */
#ifndef POLICY_OFFICIAL_RULES_H
#define POLICY_OFFICIAL_RULES_H

#include "base/rc.h"
#include "model/directory.h"
#include "model/official.h"

struct cert_store;

#define OFFICIAL_ACT_AGE_MS ((int64_t)24 * 3600 * 1000)

MUST_CHECK enum rc official_rules_check(const struct cert_store *authorities,
                                        const struct identity *official,
                                        const struct official_signed *act,
                                        const uint8_t digest[HASH_SIZE], int64_t now_ms,
                                        struct fault *fault);

#endif
