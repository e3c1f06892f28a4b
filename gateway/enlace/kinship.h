/*
 * kinship - what a draft needs that serves another exchange: the parent's deadlines, or the member
 * that is competent in place of the one that declined. Asks the node with Track.
 */
#ifndef ENLACE_KINSHIP_H
#define ENLACE_KINSHIP_H

#include "base/rc.h"

struct cli;
struct draft;
struct fault;
struct id;

/*
 * A draft that names a parent and no clocks of its own gets the parent's that still run to R4, so
 * that it fits inside them. Others are left as they are.
 */
MUST_CHECK enum rc kinship_fit(struct cli *cli, struct draft *draft, struct fault *fault);
/*
 * The draft goes on to the member that the decline of this exchange named as competent (or, when it
 * named none, to its own recipient), and names the exchange as its parent. Refusals:
 * "reroute.not_declined", "reroute.same" (to the member that declined).
 */
MUST_CHECK enum rc kinship_reroute(struct cli *cli, const struct id *declined, struct draft *draft,
                                   struct fault *fault);

#endif
