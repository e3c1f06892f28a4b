#include "enlace/card.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/ask.h"

#define FOLIO_SIZE 40
#define LINE_SIZE 256
/* A clock for each item is told once: the person asked for one thing. */
#define LINES_MAX 16

struct card_line {
    const char *what;
    const char *state; /* "corre", "cumplido", "vencido" */
    int64_t due_ms;
};

struct card {
    char folio[FOLIO_SIZE];
    int64_t opened_ms;
    const char *state;
    struct card_line lines[LINES_MAX];
    size_t count;
};

static const char *const paragraphs[] = {
    "Si un plazo vence y no le han respondido, o no está de acuerdo, puede inconformarse por "
    "escrito, "
    "en persona o por quien usted autorice, ante la institución que le entregó esta constancia, "
    "con "
    "este folio. En un caso urgente se resuelve en un máximo de 12 horas (Ley para la Protección "
    "de "
    "Personas Defensoras de Derechos Humanos y Periodistas, artículos 61 y 62).",
    "También puede quejarse ante la comisión de derechos humanos que elija.",
    "Puede retirarse por escrito en cualquier momento (artículo 40 de la misma ley): se pedirá a "
    "quienes recibieron sus datos que los supriman.",
    "Puede preguntar quién recibió sus datos y para qué; deben responderle en 20 días hábiles (Ley "
    "General de Protección de Datos Personales en Posesión de Sujetos Obligados, artículos 45 y "
    "49).",
    "Esta constancia no dice quién es usted ni qué solicitó. Guárdela donde sólo usted la "
    "encuentre.",
};

#define PARAGRAPHS (sizeof paragraphs / sizeof paragraphs[0])

/* ---- what it says ---- */

static const char *clock_text(const char *id)
{
    static const struct {
        const char *id;
        const char *text;
    } rows[] = {
        {"F1", "Decidir las medidas urgentes"},
        {"F2", "Poner en práctica las medidas urgentes"},
        {"F4", "Estudiar el riesgo y decidir"},
        {"F5", "Comunicar lo decidido a quien lo ejecuta"},
        {"F6", "Poner en práctica lo decidido"},
        {"F9", "Resolver su inconformidad"},
        {"RETIRO", "Suprimir sus datos, o decir por qué se conservan"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].id, id) == 0) {
            return rows[i].text;
        }
    }
    return "Responder a su solicitud";
}

static const char *plain_state(enum state state)
{
    switch (state) {
    case STATE_ACCEPTED:
    case STATE_IN_PROGRESS:
    case STATE_ON_HOLD:
        return "aceptada, en atención";
    case STATE_IN_FORCE:
        return "atendida y en marcha";
    case STATE_ENDED:
    case STATE_CLOSED:
        return "concluida";
    case STATE_DECLINED:
    case STATE_FAILED:
        return "no procedió donde se pidió; la institución que le atiende sigue siendo responsable";
    case STATE_RECALLED:
    case STATE_KEPT:
        return "retirada a petición";
    case STATE_PURGED:
    case STATE_ENTERED_IN_ERROR:
        return "retirada; los datos se suprimieron";
    default:
        return "recibida, en trámite";
    }
}

/* The one that came the least far. */
static enum state state_of(const struct track *track)
{
    enum state state = track->item_count > 0 ? track->items[0].state : STATE_SENT;

    for (size_t i = 1; i < track->item_count; i++) {
        state = track->items[i].state < state ? track->items[i].state : state;
    }
    return state;
}

static void add_line(struct card *card, const struct clock_state *clock)
{
    const char *what = clock_text(clock->id);
    const char *state = clock->is_overdue                    ? "VENCIDO"
                        : clock->stopped.occurred_at_ms != 0 ? "cumplido"
                                                             : "corre";

    for (size_t i = 0; i < card->count; i++) {
        if (strcmp(card->lines[i].what, what) == 0 && card->lines[i].due_ms == clock->due_at_ms) {
            return;
        }
    }
    if (clock->anchored.occurred_at_ms != 0 && card->count < LINES_MAX) {
        card->lines[card->count++] = (struct card_line){what, state, clock->due_at_ms};
    }
}

static void fill(const struct card_request *request, const struct track *track, struct card *card)
{
    char id[ID_TEXT_SIZE];

    id_format(&request->id, id);
    *card = (struct card){.opened_ms = track->opened.occurred_at_ms,
                          .state = plain_state(state_of(track))};
    if (request->folio[0] != '\0') {
        snprintf(card->folio, sizeof card->folio, "%s", request->folio);
    } else { /* the random end of it */
        snprintf(card->folio, sizeof card->folio, "%.4s-%.4s-%.4s", id + 24, id + 28, id + 32);
    }
    for (size_t i = 0; i < track->clock_count; i++) {
        add_line(card, &track->clocks[i]);
    }
}

/* ---- as text, JSON, HTML ---- */

static void put_wrapped(const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (column > 0 && column + 1 + word > 78) {
            putchar('\n');
            column = 0;
        }
        printf("%s%.*s", column > 0 ? " " : "", (int)word, text);
        column += word + (column > 0);
        text += word + (text[word] == ' ');
    }
    putchar('\n');
}

static void print_text(const struct card *card)
{
    char when[CLI_TIME_SIZE];

    cli_time(card->opened_ms, when);
    printf("CONSTANCIA DE SOLICITUD\n\nFolio      %s\nRecibida   %s\nEstado     %s\n\nPlazos\n",
           card->folio, when, card->state);
    for (size_t i = 0; i < card->count; i++) {
        cli_time(card->lines[i].due_ms, when);
        printf("  %s: a más tardar %s (%s)\n", card->lines[i].what, when, card->lines[i].state);
    }
    if (card->count == 0) {
        puts("  La institución que le entregó esta constancia le dirá cuándo responden.");
    }
    putchar('\n');
    for (size_t i = 0; i < PARAGRAPHS; i++) {
        put_wrapped(paragraphs[i]);
        putchar('\n');
    }
}

static json_t *as_json(const struct card *card)
{
    json_t *lines = json_array();

    for (size_t i = 0; i < card->count; i++) {
        json_array_append_new(lines, json_pack("{s:s,s:I,s:s}", "what", card->lines[i].what,
                                               "due_at_ms", (json_int_t)card->lines[i].due_ms,
                                               "state", card->lines[i].state));
    }
    return json_pack("{s:s,s:I,s:s,s:o}", "folio", card->folio, "opened_at_ms",
                     (json_int_t)card->opened_ms, "state", card->state, "deadlines", lines);
}

static void put_text(struct buffer *out, const char *text)
{
    buffer_put_bytes(out, bytes_text(text));
}

static void put_escaped(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            put_text(out, "&lt;");
            break;
        case '>':
            put_text(out, "&gt;");
            break;
        case '&':
            put_text(out, "&amp;");
            break;
        case '"':
            put_text(out, "&quot;");
            break;
        default:
            buffer_put_u8(out, (uint8_t)*text);
        }
    }
}

static void put_pair(struct buffer *out, const char *name, const char *value)
{
    put_text(out, "<dt>");
    put_escaped(out, name);
    put_text(out, "</dt><dd>");
    put_escaped(out, value);
    put_text(out, "</dd>\n");
}

static void as_html(const struct card *card, struct buffer *out)
{
    char when[CLI_TIME_SIZE];
    char line[LINE_SIZE];

    put_text(out,
             "<!DOCTYPE html>\n<html lang=\"es-MX\"><head><meta charset=\"utf-8\">\n"
             "<title>Constancia</title>\n<style>body{font:12pt/1.4 serif;max-width:34em;"
             "margin:2em auto;padding:0 1em}dt{font-weight:bold}dd{margin:0 0 .5em 1em}</style>\n"
             "</head><body>\n<h1>Constancia de solicitud</h1>\n<dl>\n");
    cli_time(card->opened_ms, when);
    put_pair(out, "Folio", card->folio);
    put_pair(out, "Recibida", when);
    put_pair(out, "Estado", card->state);
    for (size_t i = 0; i < card->count; i++) {
        cli_time(card->lines[i].due_ms, when);
        snprintf(line, sizeof line, "a más tardar %s (%s)", when, card->lines[i].state);
        put_pair(out, card->lines[i].what, line);
    }
    put_text(out, "</dl>\n");
    for (size_t i = 0; i < PARAGRAPHS; i++) {
        put_text(out, "<p>");
        put_escaped(out, paragraphs[i]);
        put_text(out, "</p>\n");
    }
    put_text(out, "</body></html>\n");
}

int card_print(struct cli *cli, const struct card_request *request)
{
    struct track *track = arena_alloc(cli->arena, sizeof *track);
    OWN(buffer) html = {0};
    struct fault fault = {0};
    struct card card;

    if (track == NULL) {
        return EXIT_FAILED;
    }
    if (strlen(request->folio) >= FOLIO_SIZE) {
        return cli_usage(cli, "receipt", "El folio tiene 39 caracteres cuando más.");
    }
    if (ask_track(cli->session, &request->id, cli->arena, track, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    fill(request, track, &card);
    if (request->html != NULL) {
        as_html(&card, &html);
        if (html.is_failed || cli_write_file(request->html, buffer_bytes(&html), &fault) != RC_OK) {
            return cli_fault(cli, &fault);
        }
    }
    if (cli->is_json) {
        cli_print(as_json(&card));
    } else {
        print_text(&card);
    }
    return EXIT_DONE;
}
