/*
 * validate - what a well-formed message must hold, whoever sends it to whom.
 *
 * Looks at nothing but the message (and, for its age, the time). Every refusal is
 * RC_INVALID_ARGUMENT with a stable reason, the path of the field ("header.items[2].code",
 * "compartments[0].identity.curp") and the remedy in Spanish; never a value. Pure; any thread.
 *
 * Every message: schema 1; UUIDv7 ids; from, to, from_system; urgency; purpose, legal basis and
 * aviso, because they travel with every transfer; created_at; exactly one content; blinds of 32
 * bytes, none of them zero; compartments in ascending order by part, of known subjects; one seal
 * for each sealed compartment; location, schedule and relatives sealed.
 *
 * | type           | also required                                                             |
 * |----------------|---------------------------------------------------------------------------|
 * | Referral, MeasureRequest, SupportRequest | catalogue code, items 1..n, a subject, consent given
 * or impeded | | MeasureChange  | kind, the decision; a date for extend and renew | | Consultation
 * | session, expiry                                                           | | StatusReport   |
 * item, occurrence from 1, action code                                      | | Act            |
 * regards, event; reason for decline, dispute, hold, fail, keep; evidence for in-force, purge | |
 * Recall | regards, reason                                                           | | Notice |
 * regards, clock, 50, 75 or 100 percent                                     | | Aggregate      |
 * id, dates, figures; no subject, no compartment                            |
 */
#ifndef POLICY_VALIDATE_H
#define POLICY_VALIDATE_H

#include "base/rc.h"
#include "model/message.h"

#define VALIDATE_ID_PAST_MS ((int64_t)30 * 24 * 3600 * 1000)
#define VALIDATE_ID_FUTURE_MS ((int64_t)5 * 60 * 1000)
#define VALIDATE_ATTACHMENT_MAX ((uint64_t)200 << 20)
#define VALIDATE_CERTIFICATE_MAX 4096

MUST_CHECK enum rc validate_message(const struct message *message, struct fault *fault);

/*
 * For ids that the node has never seen: made within the last 30 days and not more than 5 minutes
 * ahead ("id.too_old", "id.in_future"), nor saying that it happened, or was decided, later than
 * that
 * ("time.in_future"), nor that a clock runs from there or from before anything that the message
 * tells ("clock.anchor"). Known ids are exempt: idempotency is for ever.
 */
MUST_CHECK enum rc validate_age(const struct message *message, int64_t now_ms, struct fault *fault);

/* Values of one clear compartment (CURP, birth date, alcaldía); `index` goes into the path. */
MUST_CHECK enum rc validate_values(const struct compartment *compartment, size_t index,
                                   struct fault *fault);

#endif
