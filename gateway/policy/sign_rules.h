/*
 * sign_rules - which messages a named official must sign, and whether he or she did.
 *
 * Acts that bind a person's office (model/lifecycle: accept, decline, in-force, confirm, dispute,
 * purge, keep), recalls, aggregates, and whatever travels because an official decided for a person
 * who could not consent, or did not wait for what was missing (break-glass). Whoever a message
 * names in on_behalf_of, signed or not, is an official in force of the sender: the name goes into
 * records that nobody can erase. The signature is over the message's commitment M (crypto/actsig),
 * its certificate is in the roster of the member that acts (header.from), in force, by fingerprint,
 * and header.on_behalf_of names its holder: a node that hosts a member can not invent that member's
 * acts. Other messages may carry signatures, of an official or a system of the sender; then each of
 * them must hold as well. RC_PERMISSION_DENIED:
 *
 *     official.not_in_force   the one named is no official in force of header.from
 *     official.not_bound      the roster does not bind header.from_system to the one named
 *     signature.missing       nobody named, or no signature
 *     signature.not_official  not by an official in force of the sender, or not by the one named
 *     signature.invalid       not over this message, or a certificate that no CA vouches for
 *
 * Where the route asks, a second official of the sender approves what leaves: his or her signature
 * over M stands beside, by another person than the one named.
 *
 *     approval.no_official    nobody is named as the first
 *     approval.missing        no second official has signed
 *
 * Costs about 150 µs for each signature. Pure but for crypto's log lines; any thread.
 */
#ifndef POLICY_SIGN_RULES_H
#define POLICY_SIGN_RULES_H

#include "base/rc.h"
#include "crypto/digest.h"
#include "model/directory.h"

struct cert_store;

bool sign_rules_need_official(const struct message *message);
/*
 * Does this message wait for a second official along this route? What opens an exchange, changes a
 * measure or carries data, from the requesting side; never with the glass broken.
 */
bool sign_rules_need_second(const struct route *route, const struct message *message);
/* Is it there? For a message whose signatures sign_rules_check has verified. */
MUST_CHECK enum rc sign_rules_check_second(const struct message *message, struct fault *fault);

/*
 * `commitment` is M over this message's parts. `now_ms` is the time at which certificates must be
 * valid, `today` its local date: a receiving node passes those of the sender's leaf.
 */
MUST_CHECK enum rc sign_rules_check(const struct directory *directory,
                                    const struct cert_store *authorities,
                                    const struct message *message,
                                    const uint8_t commitment[DIGEST_SIZE], int32_t today,
                                    int64_t now_ms, struct fault *fault);

#endif
