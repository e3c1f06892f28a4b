/*
 * trace: every hop of one exchange, by both logs' times, and in words where it hangs.
 */
#include <stdio.h>

#include "base/arena.h"
#include "client/watch.h"
#include "enlace/command.h"
#include "client/hang_text.h"

static const char *what(const struct hop *hop)
{
    static const char *const texts[EVENTS] = {
        "",
        "R2 custodia",
        "R3 aceptación",
        "R3 rechazo",
        "inicio",
        "R4 en vigor",
        "fin",
        "confirmación",
        "inconformidad",
        "cierre",
        "en espera",
        "reanudación",
        "no se pudo",
        "purga certificada",
        "se conserva",
        "capturado por error",
    };

    if (hop->type == MESSAGE_ACT) {
        return texts[hop->event];
    }
    switch (hop->type) {
    case MESSAGE_STATUS_REPORT:
        return "reporte";
    case MESSAGE_RECALL:
        return "retiro";
    case MESSAGE_NOTICE:
        return "aviso de plazo";
    case MESSAGE_MEASURE_CHANGE:
        return "cambio de la medida";
    default:
        return "solicitud";
    }
}

static void print_side(const char *label, const struct hop_side *side)
{
    char when[CLI_TIME_SIZE];

    if (side->node != NULL) {
        cli_time(side->time_ms, when);
        printf("      %s %s  nodo %s, hoja %llu\n", label, when, side->node,
               (unsigned long long)side->leaf);
    }
}

static void print_state(const struct hop *hop)
{
    static const char *const texts[HOP_STATES] = {
        [HOP_PEER_UNREACHABLE] = "en espera: el otro nodo no se alcanza desde",
        [HOP_PEER_WAITS] = "en camino al otro nodo; aquí desde",
        [HOP_PEER_REFUSED] = "el otro nodo lo rechazó definitivamente",
        [HOP_NO_SYSTEM] = "en espera: ningún sistema del destinatario está conectado; aquí desde",
        [HOP_SYSTEM_WAITS] = "en espera de entregarse al sistema; aquí desde",
        [HOP_WITH_SYSTEM] = "entregado al sistema, que no ha contestado; aquí desde",
    };
    char when[CLI_TIME_SIZE] = "";

    if (texts[hop->state] == NULL) {
        return;
    }
    if (hop->since_ms != 0) {
        cli_time(hop->since_ms, when);
    }
    printf("      ▸ %s %s\n", texts[hop->state], when);
}

static void print_hop(const struct hop *hop)
{
    printf("  %s", what(hop));
    if (hop->item != 0) {
        printf(" de la medida %u", hop->item);
    }
    if (hop->occurrence != 0) {
        printf(", número %u", hop->occurrence);
    }
    printf(": %s → %s%s%s\n", hop->from, hop->to, hop->official[0] != '\0' ? ", por " : "",
           hop->official);
    print_side("registrado", &hop->sent);
    print_side("recibido  ", &hop->received);
    print_state(hop);
}

static void print_text(const struct trace *trace)
{
    char id[ID_TEXT_SIZE];
    char text[HANG_TEXT_SIZE];

    id_format(&trace->summary.exchange_id, id);
    printf("Intercambio %s, de %s para %s\n", id, trace->summary.from, trace->summary.to);
    if (trace->omitted > 0) {
        printf("  (no se muestran los %u mensajes anteriores)\n", trace->omitted);
    }
    for (size_t i = 0; i < trace->count; i++) {
        print_hop(&trace->hops[i]);
    }
    hang_text(&trace->summary, text);
    printf("%s.\n", text);
}

int cmd_trace(struct cli *cli, int argc, char **argv)
{
    struct fault fault = {0};
    struct trace trace;
    struct id id;
    int status;

    if (argc != 2) {
        return cli_usage(cli, "trace", "Falta el identificador del intercambio.");
    }
    status = cli_id(cli, "trace", argv[1], &id);
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (watch_trace(cli->session, &id, cli->arena, &trace, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(trace_json(&trace));
    } else {
        print_text(&trace);
    }
    return EXIT_DONE;
}
