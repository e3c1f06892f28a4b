/*
 * serve - the method table: which rpc method is which step of the data path.
 */
#ifndef RELAY_SERVE_H
#define RELAY_SERVE_H

#include <stddef.h>

#include "rpc/server.h"

struct node;

#define SERVE_METHODS_MAX 48

/* Fills the rows for this node; returns how many. */
size_t serve_methods(struct node *node, struct rpc_method methods[SERVE_METHODS_MAX]);

#endif
