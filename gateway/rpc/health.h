/*
 * health - grpc.health.v1: which services this node serves at the moment, Check and Watch.
 *
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md. The empty name is the server as
 * a whole. Public: answered also without a certificate, on plain listeners; says nothing but
 * serving or not.
 */
#ifndef RPC_HEALTH_H
#define RPC_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "base/rc.h"

struct health;
struct rpc_method;

#define HEALTH_METHODS 2
#define HEALTH_SERVICES_MAX 16
#define HEALTH_WATCHERS_MAX 256

struct health *health_new(void);
/* After the server that serves it has been freed. */
void health_free(struct health *health);
OWN_PTR_DEFINE(health)

/* Fills HEALTH_METHODS rows for the server's method table. */
void health_methods(struct health *health, struct rpc_method *rows);
/* Any thread; watchers are told. RC_RESOURCE_EXHAUSTED past HEALTH_SERVICES_MAX names. */
MUST_CHECK enum rc health_set(struct health *health, const char *service, bool is_serving);
/* Before a stop: every service not serving, for good, and Watch streams end. */
void health_shut(struct health *health);

#endif
