/* approve, reject, review: what waits for another official, and what he or she decides. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/official_ask.h"
#include "client/profile.h"
#include "client/reading.h"
#include "enlace/command.h"

static json_t *row_json(const struct awaiting *row)
{
    char message[ID_TEXT_SIZE];
    char exchange[ID_TEXT_SIZE];

    id_format(&row->message_id, message);
    id_format(&row->exchange_id, exchange);
    return json_pack("{s:s,s:s,s:s,s:s,s:b,s:I,s:I}", "message_id", message, "exchange_id",
                     exchange, "to", row->to, "official", row->official, "urgent",
                     row->urgency == URGENCY_URGENT, "since_ms", (json_int_t)row->since_ms,
                     "until_ms", (json_int_t)row->until_ms);
}

static void print_row(const struct awaiting *row)
{
    char id[ID_TEXT_SIZE];
    char since[CLI_TIME_SIZE];
    char until[CLI_TIME_SIZE];

    id_format(&row->message_id, id);
    cli_time(row->since_ms, since);
    cli_time(row->until_ms, until);
    if (row->kind == AWAITING_APPROVAL) {
        printf("%s  %spara %s\n    de %s, desde el %s; puede aprobarse hasta el %s\n", id,
               row->urgency == URGENCY_URGENT ? "URGENTE " : "", row->to, row->official, since,
               until);
    } else {
        printf("%s  %s, por %s, el %s\n    antes del %s%s\n", id,
               row->kind == AWAITING_REVIEW
                   ? "salió sin esperar: otra persona lo revisa"
                   : "se decidió por la persona: falta que ratifique («consent ratify»)",
               row->official, since, until, row->until_ms < clock_now_ms() ? "  VENCIDA" : "");
    }
}

static int list(struct cli *cli, bool is_approval, const char *none)
{
    struct awaiting *rows = arena_alloc(cli->arena, OFFICIAL_AWAITING_MAX * sizeof *rows);
    json_t *out = json_array();
    struct fault fault = {0};
    size_t count = 0;
    bool is_any = false;

    if (rows == NULL || official_list(cli->session, cli->arena, rows, &count, &fault) != RC_OK) {
        json_decref(out);
        return cli_fault(cli, &fault);
    }
    for (size_t i = 0; i < count; i++) {
        if ((rows[i].kind == AWAITING_APPROVAL) != is_approval) {
            continue;
        }
        is_any = true;
        json_array_append_new(out, row_json(&rows[i]));
        if (!cli->is_json) {
            print_row(&rows[i]);
        }
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:o}", "awaiting", out));
        return EXIT_DONE;
    }
    json_decref(out);
    if (!is_any) {
        puts(none);
    }
    return EXIT_DONE;
}

/* ---- what is about to leave ---- */

static void print_part(const struct reading_part *part)
{
    printf("  %s%s\n", compartment_name(compartment_type(part->compartment)),
           part->compartment->is_sealed ? " (sellado para la institución destinataria)" : "");
    for (size_t i = 0; part->is_read && i < part->count; i++) {
        size_t catalogue_size;

        printf("    %s: %s\n", field_catalogue(&catalogue_size)[part->values[i].field].label,
               part->values[i].text);
    }
}

static void show(const struct cli *cli, const struct message *message)
{
    const struct header *header = &message->header;
    const struct reading_keys keys = {NULL, NULL};
    struct reading reading = {0};

    printf("%s%s %s\n  de %s (%s) para %s%s%s\n  finalidad %s, fundamento %s\n",
           header->urgency == URGENCY_URGENT ? "URGENTE " : "", message_type_name(header->type),
           header->catalogue_code, header->from, header->on_behalf_of, header->to,
           header->to_system[0] != '\0' ? "/" : "", header->to_system, header->purpose,
           header->legal_basis);
    if (reading_open(message, &keys, cli->arena, &reading) == RC_OK) {
        for (size_t i = 0; i < reading.count; i++) {
            print_part(&reading.parts[i]);
        }
    }
}

static bool has_agreed(void)
{
    char answer[8] = "";

    printf("¿Lo aprueba con su firma? Escriba «si»: ");
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) != NULL &&
           (strcmp(answer, "si\n") == 0 || strcmp(answer, "sí\n") == 0);
}

static int done(const struct cli *cli, const struct id *id, const char *word, const char *said)
{
    char text[ID_TEXT_SIZE];

    id_format(id, text);
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:s}", "message_id", text, "outcome", word));
    } else {
        printf("%s: %s\n", said, text);
    }
    return EXIT_DONE;
}

static int approve(struct cli *cli, const struct id *id, bool is_agreed)
{
    struct message *message = arena_alloc(cli->arena, sizeof *message);
    struct official_act act = {
        .kind = OFFICIAL_APPROVE, .message_id = *id, .reason = "", .target = ""};
    struct fault fault = {0};

    if (message == NULL || official_read(cli->session, id, cli->arena, message, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (!cli->is_json) {
        show(cli, message);
    }
    if (!is_agreed && !has_agreed()) {
        return cli_usage(cli, "approve", "No se aprobó; con --yes no se pregunta.");
    }
    if (official_give(cli->session, cli->profile, &act, message, cli->arena, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return done(cli, id, "approved", "Aprobado con su firma; sale ahora");
}

int cmd_approve(struct cli *cli, int argc, char **argv)
{
    bool is_agreed = false;
    const char *text = NULL;
    struct id id;
    int status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--yes") == 0) {
            is_agreed = true;
        } else if (text == NULL) {
            text = argv[i];
        } else {
            return cli_usage(cli, "approve", "No se entiende «%s».", argv[i]);
        }
    }
    status = text != NULL ? cli_id(cli, "approve", text, &id) : EXIT_DONE;
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    return text != NULL ? approve(cli, &id, is_agreed)
                        : list(cli, true, "Nada espera una segunda aprobación.");
}

/* `argv[0]` is the command, or its verb. */
static int decide(struct cli *cli, const char *command, enum official_kind kind, int argc,
                  char **argv, const char *word, const char *said)
{
    static const struct option names[] = {{"reason", required_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    struct official_act act = {.kind = kind, .reason = "", .target = ""};
    struct fault fault = {0};
    int choice;
    int status;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (choice != 'r') {
            return cli_usage(cli, command, "No se entiende una opción.");
        }
        act.reason = optarg;
    }
    if (argc - optind != 1 || act.reason[0] == '\0') {
        return cli_usage(cli, command, "Faltan el identificador o --reason CLAVE.");
    }
    status = cli_id(cli, command, argv[optind], &act.message_id);
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (official_give(cli->session, cli->profile, &act, NULL, cli->arena, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return done(cli, &act.message_id, word, said);
}

int cmd_reject(struct cli *cli, int argc, char **argv)
{
    return decide(cli, "reject", OFFICIAL_REJECT, argc, argv, "rejected", "Rechazado; no sale");
}

int cmd_review(struct cli *cli, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    int status;

    if (strcmp(verb, "close") == 0) {
        return decide(cli, "review", OFFICIAL_CLOSE_REVIEW, argc - 1, argv + 1, "closed",
                      "Revisado y cerrado");
    }
    if (strcmp(verb, "list") != 0 || argc != 2) {
        return cli_usage(cli, "review", "Diga qué: list o close.");
    }
    status = cli_need_session(cli);
    return status == EXIT_DONE ? list(cli, false, "Nada salió sin esperar que falte revisar.")
                               : status;
}
