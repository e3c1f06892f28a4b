#include "relay/watching.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "policy/member.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/reading_rate.h"
#include "relay/who.h"
#include "rpc/call.h"

#define SCRATCH_MAX ((size_t)1 << 20)
#define RESPONSE_ROOM 256

void watching_refuse(struct watching *watching, enum rc rc)
{
    struct call *call = watching->call;

    if (watching->fault.rc == RC_OK) {
        refuse(&watching->fault, rc == RC_NOT_FOUND ? rc : RC_UNAVAILABLE,
               rc == RC_NOT_FOUND ? "exchange.unknown" : "node.unavailable", "exchange_id", "%s",
               rc == RC_NOT_FOUND ? "No hay un intercambio suyo con ese identificador."
                                  : "El nodo no pudo leer su base; reintente.");
    }
    buffer_release(&watching->response);
    arena_free(watching->scratch);
    call_refuse(call, &watching->fault);
}

struct watching *watching_begin(struct node *node, struct call *call)
{
    struct watching *watching = arena_alloc(call_arena(call), sizeof *watching);
    struct fault fault = {0};

    if (watching == NULL) {
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "El nodo está ocupado; reintente.");
        call_refuse(call, &fault);
        return NULL;
    }
    watching->node = node;
    watching->call = call;
    watching->arena = call_arena(call);
    if (who_is_member(node, call_peer(call), &watching->caller, &watching->fault) != RC_OK) {
        watching_refuse(watching, RC_UNAVAILABLE);
        return NULL;
    }
    memcpy(watching->member, watching->caller.member, sizeof watching->member);
    return watching;
}

enum rc watching_of(struct watching *watching, const char *member)
{
    OWN_EDITION(edition) = inforce_take(watching->node->inforce);
    bool is_own = member[0] == '\0' || strcmp(member, watching->caller.member) == 0;

    if (is_own) {
        return RC_OK;
    }
    if ((watching->caller.roles & 1u << READER_COORDINATOR) == 0 ||
        !node_is(node_of_member(edition->directory, member, clock_local_day(clock_now_ms())),
                 watching->node->self)) {
        return refuse(&watching->fault, RC_PERMISSION_DENIED, "board.not_allowed", "member",
                      "Sólo quien coordina el nodo ve lo de otra institución, y sólo de las que "
                      "ese nodo aloja.");
    }
    snprintf(watching->member, sizeof watching->member, "%s", member);
    return RC_OK;
}

enum rc watching_count(struct watching *watching, size_t rows)
{
    return reading_rate_rows(watching->node->reading_rate, watching->caller.uri, rows,
                             clock_now_ms(), &watching->fault);
}

/* ---- the reading room ---- */

static void answer(struct call *call)
{
    struct watching *watching = (struct watching *)call_state(call);

    if (watching->fault.rc != RC_OK || watching->response.is_failed) {
        watching_refuse(watching, RC_UNAVAILABLE);
        return;
    }
    arena_free(watching->scratch);
    call_reply_buffer(call, &watching->response);
}

static void run(struct chore *chore)
{
    struct watching *watching = (struct watching *)chore;
    enum rc rc = watching->look(watching);

    if (rc != RC_OK && watching->fault.rc == RC_OK) {
        refuse(&watching->fault, rc == RC_NOT_FOUND ? rc : RC_UNAVAILABLE,
               rc == RC_NOT_FOUND ? "exchange.unknown" : "node.unavailable", "exchange_id", "%s",
               rc == RC_NOT_FOUND ? "No hay un intercambio suyo con ese identificador."
                                  : "El nodo no pudo leer su base; reintente.");
    }
    call_resume(watching->call, answer);
}

void watching_ask(struct watching *watching, enum rc (*look)(struct watching *watching))
{
    watching->look = look;
    buffer_reserve(&watching->response,
                   RESPONSE_ROOM); /* an answer of defaults alone has no bytes */
    watching->chore.run = run;
    watching->scratch = arena_new(SCRATCH_MAX);
    call_set_state(watching->call, (struct call_state *)watching);
    if (watching->scratch == NULL ||
        worker_put(watching->node->reading_room, &watching->chore) != RC_OK) {
        watching_refuse(watching, RC_RESOURCE_EXHAUSTED);
    }
}
