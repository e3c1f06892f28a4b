/*
 * audit_call - service Audit's single questions: the key of a person's tags, the end of an audit,
 * the index.
 */
#ifndef RELAY_AUDIT_CALL_H
#define RELAY_AUDIT_CALL_H

struct call;
struct rpc_service;

/* After a leaf that says so. Only the first person of a message stands in its leaf's tag. */
void audit_on_give_tag_key(struct rpc_service *service, struct call *call);
/*
 * Opens the purpose with a leaf. NOT_FOUND "audit.unknown": no session of the caller's institution
 * is under it. ALREADY_EXISTS "audit.closed".
 */
void audit_on_close(struct rpc_service *service, struct call *call);
void audit_on_reindex(struct rpc_service *service, struct call *call);

#endif
