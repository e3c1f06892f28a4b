/*
 * order_rules - is this order well-formed, and did those sign it who may give it?
 *
 * An erasure is signed by two different officials in force of the member whose data it is, a
 * pruning by two of a member of the node, a hold
 * and its release by an auditor in force; each by the certificate in the roster, over the order's
 * digest D (tlog/commit, crypto/actsig). Every signature that comes along must hold. Refusals:
 *
 *     order.target            not exactly one thing, or one that this kind cannot be about
 *     order.basis             no code of a legal basis: a row of the directory, or "LGPDPPSO-..."
 *     order.reason            not a code: it goes into a record that nobody can erase
 *     order.age               made more than 30 days ago, or in the future
 *     signature.missing       fewer signatures than the kind needs
 *     signature.same_official one person signed twice
 *     signature.not_official  by somebody who may not give this order
 *     signature.invalid       not over this order, or a certificate that no CA vouches for
 *
 * Pure but for crypto's log lines; any thread.
 */
#ifndef POLICY_ORDER_RULES_H
#define POLICY_ORDER_RULES_H

#include "base/rc.h"
#include "model/directory.h"
#include "model/order.h"

struct cert_store;

#define ORDER_SIGNERS_MAX MESSAGE_SIGNATURES_MAX

/* Who signed, in the order of the signatures; rows of the directory. */
struct order_signers {
    const struct identity *signers[ORDER_SIGNERS_MAX];
    size_t count;
};

MUST_CHECK enum rc order_rules_check(const struct directory *directory,
                                     const struct cert_store *authorities,
                                     const struct order_signed *order,
                                     const uint8_t digest[HASH_SIZE], int64_t now_ms,
                                     struct order_signers *signers, struct fault *fault);

#endif
