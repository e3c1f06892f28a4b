/*
 * dial - a channel as stream and duplex need it: one new call. Internal to rpc.
 */
#ifndef RPC_DIAL_H
#define RPC_DIAL_H

#include "rpc/core.h"

struct channel;

/* Never NULL; an unreachable peer shows in the call's status. Any thread. */
grpc_call *channel_dial(struct channel *channel, grpc_completion_queue *queue, const char *method,
                        gpr_timespec deadline);

#endif
