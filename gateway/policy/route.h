/*
 * route - along which route of the directory a message travels. Everything is denied that no
 * route allows.
 *
 * The same functions run at the sender's node and, with its own directory, at the receiver's.
 * Messages have passed validate_message. `today` is a local date; a receiving node passes the day
 * of the sender's leaf. Refusals are RC_PERMISSION_DENIED:
 *
 *     route.none                 no route between these members, or the other does not take part
 *     route.type_not_allowed     none of them for this type
 *     route.code_not_allowed     none for this type and code, or an item's code is not in it
 *     route.not_in_force         there is one, on other days
 *     route.direction            this side of the exchange does not send this type or event
 *     purpose.not_allowed        another purpose than the route's
 *     basis.mismatch             another legal basis than the route's
 *     basis.not_in_force         the basis does not hold on that day
 *     aviso.mismatch             another aviso, version or hash than the directory's
 *     urgency.not_allowed        urgent along a route that has no urgency
 *     clock.not_listed           a clock that the route does not list
 *     clock.too_long             due later than the route's clock is, from the anchor that it names
 *     directory.not_in_force     RC_FAILED_PRECONDITION: a network's text, or the sender's roster,
 *                                has run out
 *
 * An urgent message does not wait for a directory or a legal basis that ran out at most
 * ROUTE_WAIVER_DAYS ago: it passes, and route_waiver says so, for the record and the log. What has
 * not begun is never waived, nor are the parties' own dates.
 *
 * Pure; any thread.
 */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include "base/rc.h"
#include "model/directory.h"
#include "model/lifecycle.h"

#define ROUTE_WAIVER_DAYS 30

/* For a message that opens its exchange. */
MUST_CHECK enum rc route_find(const struct directory *directory, const struct message *message,
                              int32_t today, const struct route **route, struct fault *fault);

struct explanation;
/* The same checks, each noted (policy/explain); *route is set when one was found. */
MUST_CHECK enum rc route_explain(const struct directory *directory, const struct message *message,
                                 int32_t today, const struct route **route,
                                 struct explanation *explanation, struct fault *fault);

/*
 * For a message inside an exchange, whose route is known by id since its opening. Purpose, basis
 * and aviso are the route's. A route or basis that has run out meanwhile still lets an exchange
 * report and close, but takes no compartment and no MeasureChange any more.
 */
MUST_CHECK enum rc route_follow(const struct directory *directory, const char *route_id,
                                const struct message *message, int32_t today,
                                const struct route **route, struct fault *fault);

/*
 * For a Notice: the route that it names, whose parties are the exchange's. It travels from either
 * of them to either of them or to a rung of the ladder, on the route's own basis, though no route
 * lists the two: "notice.ladder" for anybody else, "notice.clock" for a clock that does not run
 * there.
 */
MUST_CHECK enum rc route_notice(const struct directory *directory, const struct message *message,
                                int32_t today, const struct route **route, struct fault *fault);

/* The newest version of the aviso that a route names. NULL: none. */
const struct aviso *route_aviso(const struct directory *directory, const struct route *route);

/* What an urgent message that passed was let through without ("basis.not_in_force"), or NULL. */
const char *route_waiver(const struct directory *directory, const struct route *route,
                         const struct message *message, int32_t today);

/* Route, basis, both parties and their networks' texts: without a waiver. */
bool route_is_in_force(const struct directory *directory, const struct route *route, int32_t today);

/* NULL: none. Looks at every route: for consoles and restarts, not for each message. */
const struct route *route_by_id(const struct directory *directory, const char *id);
/* Binary search, when the parties are known. */
const struct route *route_between(const struct directory *directory, const char *from,
                                  const char *to, const char *id);

/*
 * Which side of the exchange sends this message: the route's `from` is the requester. A member's
 * exchange with itself goes by type and event (a Notice: the requester). SIDE_NONE: no party.
 */
enum side route_side(const struct route *route, const struct message *message);
/* The side to which an event belongs, by model/lifecycle. */
enum side route_event_side(enum event event);

#endif
