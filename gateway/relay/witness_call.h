/* witness_call - the rpc methods AddCheckpoint and GetCheckpoint: peers, and auditors who compare.
 */
#ifndef RELAY_WITNESS_CALL_H
#define RELAY_WITNESS_CALL_H

struct call;
struct rpc_service;

void witness_on_add(struct rpc_service *service, struct call *call);
void witness_on_get(struct rpc_service *service, struct call *call);

#endif
