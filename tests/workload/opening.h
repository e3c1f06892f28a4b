/*
 * opening - from one line of the plan to the message that opens its exchange.
 *
 * The route of the directory decides everything that a sender has to know: purpose, legal basis,
 * aviso, clocks, and which of a person's fields go at all, in clear or sealed. So the workload
 * minimises as a careful sender does, and the node's own check stays the judge. Single-threaded.
 */
#ifndef WORKLOAD_OPENING_H
#define WORKLOAD_OPENING_H

#include "client/compose.h"
#include "model/directory.h"
#include "workload/figures.h"
#include "workload/plan.h"

/* Borrowed for as long as it is used. */
struct opening_terms {
    const struct directory *directory;
    const char *pki; /* folder: system/<network>.<code>.<name>/seal.pem */
};

/*
 * RC_NOT_FOUND "workload.no_route" when no route of the directory takes it; RC_FAILED_PRECONDITION
 * "workload.seal" when a recipient's seal certificate is not the one of the directory.
 */
MUST_CHECK enum rc opening_compose(const struct opening_terms *terms, const struct plan *plan,
                                   const struct plan_exchange *exchange, struct composed *out,
                                   struct fault *fault);

/* CLOSE, by the requester, once all items have ended. */
MUST_CHECK enum rc opening_close(const struct opening_terms *terms,
                                 const struct plan_exchange *exchange, int64_t now_ms,
                                 struct composed *out, struct fault *fault);

/* The year's figures, signed by an official of mpi-cdmx ("enlace-01"). */
MUST_CHECK enum rc opening_aggregate(const struct opening_terms *terms, const char *to,
                                     const struct id *id, const struct figures *figures,
                                     const struct draft_signer *signer, int64_t now_ms,
                                     struct composed *out, struct fault *fault);

#endif
