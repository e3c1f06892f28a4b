/*
 * courier - brings attachments to the nodes of their recipients, until each peer has said it is
 * whole.
 *
 * One thread for each other node of the directory, so that a slow peer delays nobody else. It reads
 * the debts (annex_debt) that are due, sends what the peer lacks over one stream at a time, and
 * removes the debt when the peer answers that it is complete. What fails stays owed, later each
 * time, from COURIER_WAIT_LEAST_MS to COURIER_WAIT_MOST_MS; nothing but the file's erasure ends it.
 */
#ifndef RELAY_COURIER_H
#define RELAY_COURIER_H

#include "base/own.h"
#include "base/rc.h"

struct couriers;
struct node;

#define COURIER_WAIT_LEAST_MS 1000
#define COURIER_WAIT_MOST_MS 60000
/* Due timers that are looked at in one go. */
#define COURIER_PAGE 1024

/* Starts the threads. Needs the node's writer, files and directory. */
MUST_CHECK enum rc couriers_start(struct node *node, struct couriers **couriers);
/* Breaks off what is under way, ends the threads, frees. NULL does nothing. Before the writer
 * stops. */
/* Another directory is in force: couriers to its new nodes; one that moved is reached at its new
 * address after the next start. One thread at a time. */
MUST_CHECK enum rc couriers_refresh(struct couriers *couriers);
void couriers_free(struct couriers *couriers);
OWN_PTR_DEFINE(couriers)

/* Something is owed to this node. Any thread. */
void couriers_poke(struct couriers *couriers, const char *node_code);

#endif
