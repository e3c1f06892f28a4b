#include "enlace/kinship.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/compose.h"
#include "client/session.h"
#include "enlace/command.h"

static enum rc ask_parent(struct cli *cli, const struct id *id, struct track **track,
                          struct fault *fault)
{
    struct track *found = arena_alloc(cli->arena, sizeof *found);

    if (found == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    TRY(ask_track(cli->session, id, cli->arena, found, fault));
    *track = found;
    return RC_OK;
}

static bool is_clock_of(const struct header *header, const char *id)
{
    for (size_t i = 0; i < header->clock_count; i++) {
        if (strcmp(header->clocks[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void take_clocks(const struct track *parent, struct header *header)
{
    for (size_t i = 0; i < parent->clock_count && header->clock_count < MESSAGE_CLOCKS_MAX; i++) {
        const struct clock_state *clock = &parent->clocks[i];

        if (strcmp(clock->stop, "R4") == 0 && clock->due_at_ms > parent->now_ms &&
            !is_clock_of(header, clock->id)) {
            header->clocks[header->clock_count++] =
                (struct message_clock){clock->id, parent->now_ms, clock->due_at_ms};
        }
    }
}

enum rc kinship_fit(struct cli *cli, struct draft *draft, struct fault *fault)
{
    struct header *header = &draft->header;
    bool opens = id_is_zero(&header->exchange_id);
    struct track *parent = NULL;

    if (id_is_zero(&header->parent_exchange_id) || header->clock_count > 0 || !opens) {
        return RC_OK;
    }
    TRY(ask_parent(cli, &header->parent_exchange_id, &parent, fault));
    take_clocks(parent, header);
    return RC_OK;
}

enum rc kinship_reroute(struct cli *cli, const struct id *declined, struct draft *draft,
                        struct fault *fault)
{
    const char *competent = NULL;
    struct track *parent = NULL;

    TRY(ask_parent(cli, declined, &parent, fault));
    for (size_t i = 0; i < parent->item_count; i++) {
        const struct item_state *item = &parent->items[i];

        if (item->state == STATE_DECLINED || item->state == STATE_FAILED) {
            competent = item->competent[0] != '\0' ? item->competent : draft->header.to;
        }
    }
    if (competent == NULL) {
        return refuse(fault, RC_FAILED_PRECONDITION, "reroute.not_declined", "",
                      "Nadie ha declinado ese intercambio; consúltelo con «enlace track».");
    }
    if (competent[0] == '\0' || strcmp(competent, parent->to) == 0) {
        return refuse(fault, RC_FAILED_PRECONDITION, "reroute.same", "header.to",
                      "Señale en «to» a qué otra institución va: quien declinó no nombró a otra.");
    }
    draft->header.to = competent;
    draft->header.parent_exchange_id = *declined;
    return RC_OK;
}
