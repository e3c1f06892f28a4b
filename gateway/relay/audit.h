/*
 * audit - service Audit: leaves and records with their proofs, for auditors of the directory.
 *
 * Reading is an event: the first page of a session waits for a leaf of its own (who reads, the
 * declared purpose). An auditor reads this node's log only where the directory names it; every page
 * comes under one checkpoint that is not older than the session.
 */
#ifndef RELAY_AUDIT_H
#define RELAY_AUDIT_H

struct rpc_service;
struct stream;

#define AUDIT_PAGE_MAX 256

/* The rpc method ReadRecords. */
void audit_on_stream(struct rpc_service *service, struct stream *stream);

#endif
