/*
 * trace - service Watch's TraceExchange: every message of one exchange, on both sides.
 *
 * From this node's own log, its outbox and desk, and what the other node proved: its leaf beside
 * ours, with its time. Nobody else is asked, so it answers while the other side is down. Looked up
 * by the index, in the reading room's thread.
 */
#ifndef RELAY_TRACE_H
#define RELAY_TRACE_H

struct call;
struct rpc_service;

void trace_on_call(struct rpc_service *service, struct call *call);

#endif
