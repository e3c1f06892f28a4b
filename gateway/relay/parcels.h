/*
 * parcels - service Parcel: what is owed to a peer leaves as a file and comes in as one, when no
 * link is left; and the answers to them.
 *
 *     export:  outbox, packing --> a file for the peer; nothing changes here
 *     import:  a parcel --> chain, lineage, writer, as from the link --> the answer, a file
 *              an answer --> chain, lineage, writer: evidence, R1, debts paid, as from the link
 *
 * Both sides keep what they saw of each other's log. A parcel that does not begin where the
 * receiver stands (its sender could not know) is not used; the answer says how far the receiver is,
 * and the next export begins there. An answer that was overtaken by the link changes nothing.
 * For operators of a member that is hosted here.
 */
#ifndef RELAY_PARCELS_H
#define RELAY_PARCELS_H

#include <stdint.h>

#include "base/own.h"

struct call;
struct parcels;
struct rpc_service;

/* Of a file: messages. One may be larger, alone. */
#define PARCELS_BYTES_MAX ((size_t)3 << 19)

/* How far each peer has seen our log, as it said itself; in memory. NULL when out of memory. */
struct parcels *parcels_new(void);
void parcels_free(struct parcels *parcels);
OWN_PTR_DEFINE(parcels)

/*
 * The rpc methods ExportParcel and ImportParcel. RC_PERMISSION_DENIED "identity.not_operator";
 * RC_NOT_FOUND "parcel.no_peer", "parcel.nothing"; RC_ABORTED "parcel.stale" (the link went on
 * meanwhile: export again), "parcel.crossed" (it is going on right now); and those of parcel_file.
 */
void parcels_on_export(struct rpc_service *service, struct call *call);
void parcels_on_import(struct rpc_service *service, struct call *call);

#endif
