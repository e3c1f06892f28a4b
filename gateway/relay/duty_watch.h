/*
 * duty_watch - what nobody says by himself: a message that nobody takes, a disk that fills.
 *
 * Every few seconds it looks at the oldest debts of each destination. An urgent message that waited
 * for longer than the setting, or an ordinary one with half of its clock gone, is a reason to wake
 * the officials of the member that holds it (the sender's while its node cannot reach the other,
 * the recipient's while its systems take nothing); when it is taken, the call ends. Links to peers
 * learn how much of the clock is gone, and try again the sooner (relay/forward).
 *
 * The waker's thread.
 */
#ifndef RELAY_DUTY_WATCH_H
#define RELAY_DUTY_WATCH_H

#include <stdint.h>

#include "base/own.h"

struct duty_people;
struct duty_watch;
struct node;

/* Debts of one destination and urgency that are looked at, the oldest. */
#define DUTY_WATCH_DEBTS 32

struct duty_watch *duty_watch_new(struct node *node, int64_t undelivered_ms);
void duty_watch_free(struct duty_watch *watch);
OWN_PTR_DEFINE(duty_watch)

void duty_watch_look(struct duty_watch *watch, const struct duty_people *people);

#endif
