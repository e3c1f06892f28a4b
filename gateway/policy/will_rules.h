/*
 * will_rules - does a person's will let this message leave?
 *
 * A name excludes an agency ("cdmx/ssc"), a unit ("cdmx/ssc/system/adapter") or an official
 * ("cdmx/ssc/official/enlace-01"). An official of the recipient is excluded with every system that
 * acts for him or her; a message that names no system (to_system) could reach any of them, and does
 * not leave. The sender's own units and officials can be excluded, too. Refusals, which only an
 * official with standing on the case may read (everybody else gets the uniform answer):
 *
 *     veto.excluded          the remedy lists the destinations that this route's codes may go to
 *     consent.withdrawn      the person withdrew: nothing new about her or him leaves
 *     consent.not_ratified   an official decided for the person, and nobody ratified it in time
 *
 * Pure; any thread.
 */
#ifndef POLICY_WILL_RULES_H
#define POLICY_WILL_RULES_H

#include "base/rc.h"
#include "model/message.h"
#include "model/will.h"

/* The grammar of a name that can be excluded, and whether this directory knows it. */
bool will_name_is_known(const struct directory *directory, const char *name);
bool will_excludes(const struct will *will, const struct directory *directory,
                   const struct header *header, int32_t today);
bool will_has_standing(const struct will *will, const char *official);
/* A message that says something new about its subjects: what a will is asked about. */
bool will_is_asked(const struct message *message);

MUST_CHECK enum rc will_check(const struct will *will, const struct directory *directory,
                              const struct message *message, int64_t now_ms, struct fault *fault);

#endif
