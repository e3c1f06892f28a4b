/*
 * desk - who waits for deliveries, and which deliveries are out.
 *
 * Each attached stream (relay/attached) takes a seat. Whatever commits a message for a member wakes
 * the seats of that member and urgency; a lease keeps two of them from getting the same message. It
 * ends with the acknowledgement, with custody, or comes back with the end of the stream: what was
 * leased before is delivered again as redelivered, at least once, and the recipient knows.
 */
#ifndef RELAY_DESK_H
#define RELAY_DESK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "model/directory.h"
#include "model/message.h"
#include "rpc/stream.h"

struct desk;
struct leases;
struct node;

#define DESK_DESTINATION_SIZE 160

/* RC_RESOURCE_EXHAUSTED is NULL. */
struct desk *desk_new(struct node *node);
/* All seats must be empty. */
void desk_free(struct desk *desk);
OWN_PTR_DEFINE(desk)

/* Where a message for this recipient waits: its member's queue, or one system's own. */
void desk_destination(const struct header *header, char out[DESK_DESTINATION_SIZE]);

/* In the attached stream's object. Member, urgency and wake are set before desk_sit. */
struct desk_seat {
    struct desk_seat *next; /* in the desk's list, under its lock */
    char member[CODE_SIZE];
    enum urgency urgency;
    struct stream *stream;
    struct stream_item *wake; /* handed to the stream: look again */
    atomic_bool is_waking;    /* cleared by the stream when it got the item */
    atomic_bool must_rewind;  /* a lease came back: what was passed over may be free */
    bool is_taken;
};

/* On the stream's queue thread. The stream is held while the seat is taken. */
void desk_sit(struct desk *desk, struct desk_seat *seat, struct stream *stream);
/* After this nobody wakes it any more. An empty seat is none. */
void desk_leave(struct desk *desk, struct desk_seat *seat);

/* Something new waits there. Any thread. */
void desk_wake(struct desk *desk, const char *member_code, enum urgency urgency);
/* Leases of this member came back. Any thread. */
void desk_returned(struct desk *desk, const char *member_code, enum urgency urgency);
/* The debt of this leaf was paid by another way than its stream. Any thread. */
void desk_settled(struct desk *desk, uint64_t index);

/* How many seats each member has for each urgency, those with any. Any thread; say must not wait.
 */
void desk_look(struct desk *desk,
               void (*say)(void *to, const char *member, enum urgency urgency, unsigned seats),
               void *to);

/* Is a system of this member attached? Any thread. */
bool desk_is_attended(struct desk *desk, const char *member_code);
/* Is this leaf's message with an attached system now? Any thread. */
bool desk_is_out(struct desk *desk, uint64_t index);

struct leases *desk_leases(struct desk *desk);
/* Has this leaf been delivered before, for all that this process can know? */
bool desk_was_given(struct desk *desk, uint64_t index);

#endif
