#include <stdio.h>

#include "base/arena.h"
#include "client/ask.h"
#include "client/session.h"
#include "enlace/command.h"

static const char *const state_texts[STATES] = {
    "",
    "enviada",
    "recibida por el otro nodo",
    "en custodia",
    "aceptada",
    "en curso",
    "en vigor",
    "terminada",
    "cerrada",
    "rechazada",
    "fallida",
    "en espera",
    "retirada",
    "purgada",
    "conservada",
    "capturada por error",
};

static json_t *as_json(const struct track *track)
{
    char id[ID_TEXT_SIZE];
    char parent[ID_TEXT_SIZE];
    json_t *items = json_array();

    id_format(&track->exchange_id, id);
    id_format(&track->parent_exchange_id, parent);
    for (size_t i = 0; i < track->item_count; i++) {
        const struct item_state *item = &track->items[i];

        json_array_append_new(
            items, json_pack("{s:i,s:s,s:s,s:s,s:i,s:I}", "number", (int)item->number, "code",
                             item->code, "state", state_name(item->state), "fhir_task",
                             state_fhir_task(item->state), "occurrences", (int)item->occurrences,
                             "changed_at_ms", (json_int_t)item->changed_at_ms));
    }
    return json_pack("{s:s,s:s,s:s,s:I,s:s,s:o}", "exchange_id", id, "from", track->from, "to",
                     track->to, "received_at_ms", (json_int_t)track->received_at_ms,
                     "parent_exchange_id", id_is_zero(&track->parent_exchange_id) ? "" : parent,
                     "items", items);
}

static void print_text(const struct track *track)
{
    char text[ID_TEXT_SIZE];
    char when[CLI_TIME_SIZE];

    id_format(&track->exchange_id, text);
    printf("Intercambio %s\n  de %s para %s\n", text, track->from, track->to);
    if (!id_is_zero(&track->parent_exchange_id)) {
        id_format(&track->parent_exchange_id, text);
        printf("  sirve al intercambio %s\n", text);
    }
    if (track->received_at_ms != 0) {
        cli_time(track->received_at_ms, when);
        printf("  recibido por el otro nodo: %s\n", when);
    } else {
        puts("  el otro nodo todavía no lo recibe");
    }
    for (size_t i = 0; i < track->item_count; i++) {
        const struct item_state *item = &track->items[i];

        cli_time(item->changed_at_ms, when);
        printf("  %2u  %-12s %-26s %u reportes  desde %s\n", item->number, item->code,
               state_texts[item->state], item->occurrences, when);
    }
}

int cmd_track(struct cli *cli, int argc, char **argv)
{
    struct track *track = arena_alloc(cli->arena, sizeof *track);
    struct fault fault = {0};
    struct id id;
    int status;

    if (argc != 2 || track == NULL) {
        return cli_usage(cli, "track", "Falta el identificador del intercambio.");
    }
    status = cli_id(cli, "track", argv[1], &id);
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (ask_track(cli->session, &id, cli->arena, track, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(as_json(track));
    } else {
        print_text(track);
    }
    return EXIT_DONE;
}
