/*
 * parcels_parts - what export (parcels.c) and import (parcels_in.c) share; for these two alone.
 */
#ifndef RELAY_PARCELS_PARTS_H
#define RELAY_PARCELS_PARTS_H

#include <stdbool.h>

#include "model/message.h"
#include "relay/parcels.h"

struct chain;
struct node;

MUST_CHECK enum rc parcels_admit(const struct node *node, const struct call *call,
                                 struct fault *fault);
/* A hello, as a stream begins with: an ExchangeRequest, or a response. */
MUST_CHECK enum rc parcels_hello(const struct node *node, const struct chain *chain,
                                 struct bytes seen_note, enum urgency urgency, bool is_request,
                                 struct buffer *out);
/* The peer said that it has seen so much of our log. */
void parcels_heard(struct parcels *parcels, const char *code, uint64_t size);

#endif
