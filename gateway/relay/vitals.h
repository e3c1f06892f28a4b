/*
 * vitals - how this node is doing: the figures of model/condition, read when somebody asks.
 *
 * Nothing is kept for it but a few counters, so whoever does not ask pays nothing. Reading walks
 * the queues in a read transaction (up to 10,000 debts of each destination) and asks the file
 * system: on a thread that may wait, never a queue's.
 */
#ifndef RELAY_VITALS_H
#define RELAY_VITALS_H

#include <stdatomic.h>

#include "http/http_loop.h"
#include "model/condition.h"
#include "model/message.h"
#include "model/record.h"

struct call;
struct node;
struct rpc_service;

#define VITALS_QUEUE_COUNTED 10000

/* Counters and constants of one node; the counters' writer is the writer thread. */
struct meters {
    int64_t started_s;
    const char *data; /* folders whose disks must have room */
    const char *vault;
    uint64_t disk_floor; /* bytes */
    atomic_ullong sent[URGENCY_URGENT + 1];
    atomic_ullong received[URGENCY_URGENT + 1];
};

/* After the commit that holds the message. */
void meters_count(struct meters *meters, enum record_kind kind, enum urgency urgency);

/* Fills what there is room for. What cannot be read is left out. Any thread that may wait. */
void vitals_look(const struct node *node, struct condition *condition);

/* The rpc method GetCondition: by policy/audit_rules. */
void vitals_on_call(struct rpc_service *service, struct call *call);

/* GET /metrics on this machine, for Prometheus. Lives as long as the loop that uses it. */
struct vitals_http {
    struct http_service service; /* first */
    const struct node *node;
};

void vitals_http_init(struct vitals_http *http, const struct node *node);

#endif
