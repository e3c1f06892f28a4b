#include <stdio.h>

#include "base/arena.h"
#include "client/ask.h"
#include "client/session.h"
#include "enlace/command.h"
#include "client/hang_text.h"

static const char *const band_texts[] = {"", "por teléfono", "en papel", "en persona"};

static json_t *item_json(const struct item_state *item)
{
    return json_pack("{s:i,s:s,s:s,s:s,s:i,s:I,s:s,s:I,s:i,s:s,s:b,s:s,s:s}", "number",
                     (int)item->number, "code", item->code, "state", state_name(item->state),
                     "fhir_task", state_fhir_task(item->state), "occurrences",
                     (int)item->occurrences, "changed_at_ms", (json_int_t)item->changed_at_ms,
                     "responsible", item->responsible, "occurrence_due_at_ms",
                     (json_int_t)item->occurrence_due_ms, "missing", (int)item->missing, "ends_on",
                     item->ends_on, "suspended", (int)item->is_suspended, "reason", item->reason,
                     "competent", item->competent);
}

static json_t *act_json(const struct tracked_act *act)
{
    return act->occurred_at_ms == 0
               ? json_null()
               : json_pack("{s:I,s:I,s:s}", "occurred_at_ms", (json_int_t)act->occurred_at_ms,
                           "entered_at_ms", (json_int_t)act->entered_at_ms, "told",
                           band_texts[act->band]);
}

static json_t *clock_json(const struct clock_state *clock)
{
    return json_pack("{s:s,s:i,s:s,s:s,s:o,s:I,s:o,s:i,s:b,s:i,s:s}", "id", clock->id, "item",
                     (int)clock->item, "from", clock->anchor, "to", clock->stop, "anchored",
                     act_json(&clock->anchored), "due_at_ms", (json_int_t)clock->due_at_ms,
                     "stopped", act_json(&clock->stopped), "percent_left", (int)clock->percent_left,
                     "overdue", (int)clock->is_overdue, "told", (int)clock->told, "late",
                     clock->late);
}

static json_t *as_json(const struct track *track)
{
    char id[ID_TEXT_SIZE];
    char parent[ID_TEXT_SIZE];
    json_t *items = json_array();
    json_t *clocks = json_array();

    id_format(&track->exchange_id, id);
    id_format(&track->parent_exchange_id, parent);
    for (size_t i = 0; i < track->item_count; i++) {
        json_array_append_new(items, item_json(&track->items[i]));
    }
    for (size_t i = 0; i < track->clock_count; i++) {
        json_array_append_new(clocks, clock_json(&track->clocks[i]));
    }
    return json_pack("{s:s,s:s,s:s,s:s,s:b,s:I,s:s,s:o,s:I,s:I,s:o,s:o}", "exchange_id", id, "from",
                     track->from, "to", track->to, "route", track->route, "urgent",
                     track->urgency == URGENCY_URGENT, "received_at_ms",
                     (json_int_t)track->received_at_ms, "parent_exchange_id",
                     id_is_zero(&track->parent_exchange_id) ? "" : parent, "opened",
                     act_json(&track->opened), "expires_at_ms", (json_int_t)track->expires_at_ms,
                     "now_ms", (json_int_t)track->now_ms, "items", items, "clocks", clocks);
}

/* "2026-11-24 03:10", and when it was told by another way also when it was entered. */
static void print_act(const char *what, const struct tracked_act *act)
{
    char occurred[CLI_TIME_SIZE];
    char entered[CLI_TIME_SIZE];

    cli_time(act->occurred_at_ms, occurred);
    cli_time(act->entered_at_ms, entered);
    printf("%s%s", what, occurred);
    if (act->band != BAND_NONE) {
        printf(" (%s; capturado %s)", band_texts[act->band], entered);
    }
}

static void print_item(const struct item_state *item)
{
    char when[CLI_TIME_SIZE];

    cli_time(item->changed_at_ms, when);
    printf("  %2u  %-12s %-26s desde %s\n", item->number, item->code, state_text(item->state),
           when);
    printf("      responsable: %s\n", item->responsible);
    if (item->reason[0] != '\0') {
        printf("      motivo: %s%s%s\n", item->reason,
               item->competent[0] != '\0' ? "; competente: " : "", item->competent);
    }
    if (item->occurrences > 0 || item->missing > 0 || item->occurrence_due_ms != 0) {
        printf("      %u reportes", item->occurrences);
        if (item->missing > 0) {
            printf(", FALTAN %u", item->missing);
        }
        if (item->occurrence_due_ms != 0) {
            cli_time(item->occurrence_due_ms, when);
            printf("; el siguiente vence %s", when);
        }
        putchar('\n');
    }
    if (item->ends_on[0] != '\0' || item->is_suspended) {
        printf("      %s%s%s\n", item->ends_on[0] != '\0' ? "termina el " : "", item->ends_on,
               item->is_suspended ? " (sin efecto: suspendida o levantada)" : "");
    }
}

static void print_clock(const struct clock_state *clock)
{
    char due[CLI_TIME_SIZE];

    printf("  %-4s", clock->id);
    if (clock->item != 0) {
        printf(" medida %u", clock->item);
    }
    if (clock->anchored.occurred_at_ms == 0) {
        printf(" empieza con %s\n", clock->anchor);
        return;
    }
    cli_time(clock->due_at_ms, due);
    printf(" %s", clock->is_overdue                    ? "VENCIDO"
                  : clock->stopped.occurred_at_ms != 0 ? "cumplido"
                                                       : "corre");
    if (clock->stopped.occurred_at_ms == 0 && !clock->is_overdue) {
        printf(", queda %u %%", clock->percent_left);
    }
    print_act("; desde ", &clock->anchored);
    printf(" vence %s", due);
    if (clock->stopped.occurred_at_ms != 0) {
        print_act("; paró con ", &clock->stopped);
    } else {
        printf("; debe actuar %s", clock->late);
    }
    putchar('\n');
}

static void print_head(const struct track *track)
{
    char text[ID_TEXT_SIZE];
    char when[CLI_TIME_SIZE];

    id_format(&track->exchange_id, text);
    printf("Intercambio %s\n  de %s para %s%s\n", text, track->from, track->to,
           track->urgency == URGENCY_URGENT ? ", urgente" : "");
    if (!id_is_zero(&track->parent_exchange_id)) {
        id_format(&track->parent_exchange_id, text);
        printf("  sirve al intercambio %s\n", text);
    }
    print_act("  abierto ", &track->opened);
    putchar('\n');
    if (track->received_at_ms != 0) {
        cli_time(track->received_at_ms, when);
        printf("  recibido por el otro nodo: %s\n", when);
    } else {
        puts("  el otro nodo todavía no lo recibe");
    }
    if (track->expires_at_ms != 0) {
        cli_time(track->expires_at_ms, when);
        printf("  la sesión concluye %s\n", when);
    }
}

static void print_text(const struct track *track)
{
    print_head(track);
    for (size_t i = 0; i < track->item_count; i++) {
        print_item(&track->items[i]);
    }
    for (size_t i = 0; i < track->clock_count; i++) {
        print_clock(&track->clocks[i]);
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
