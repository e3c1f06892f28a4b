/* act and report: a step, or an occurrence, in an exchange that this profile knows. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/annex.h"
#include "client/compose.h"
#include "enlace/command.h"
#include "model/reason.h"

struct step {
    struct id id;
    uint32_t item;
    uint32_t occurrence;
    const char *reason;
    const char *competent;
    const char *code;
    const char *occurred_at;
    enum out_of_band band;
    bool has_evidence;
    uint8_t evidence[HASH_SIZE];
};

static int read_number(const struct cli *cli, const char *command, const char *text,
                       uint32_t *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || text[0] == '-' || value > 100000) {
        return cli_usage(cli, command, "Se esperaba un número en lugar de «%s».", text);
    }
    *number = (uint32_t)value;
    return EXIT_DONE;
}

static int read_evidence(const struct cli *cli, const char *command, bool is_file, const char *text,
                         struct step *step)
{
    struct fault fault = {0};
    struct annex annex = {0};

    step->has_evidence = true;
    if (is_file) {
        if (annex_measure(text, &annex, &fault) != RC_OK) {
            return cli_fault(cli, &fault);
        }
        memcpy(step->evidence, annex.sha256, HASH_SIZE);
        return EXIT_DONE;
    }
    return strlen(text) == 2 * HASH_SIZE && hex_decode(text, step->evidence, HASH_SIZE) == RC_OK
               ? EXIT_DONE
               : cli_usage(cli, command, "La huella son 64 cifras hexadecimales en minúsculas.");
}

static int read_band(const struct cli *cli, const char *command, const char *text,
                     enum out_of_band *band)
{
    static const char *const names[] = {"telefono", "papel", "persona"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *band = (enum out_of_band)(BAND_TELEPHONE + i);
            return EXIT_DONE;
        }
    }
    return cli_usage(cli, command, "Se dice por telefono, papel o persona, no «%s».", text);
}

static int read_option(const struct cli *cli, const char *command, int choice, struct step *step)
{
    switch (choice) {
    case 'i':
        return read_number(cli, command, optarg, &step->item);
    case 'n':
        return read_number(cli, command, optarg, &step->occurrence);
    case 'r':
        step->reason = optarg;
        return EXIT_DONE;
    case 'c':
        step->competent = optarg;
        return EXIT_DONE;
    case 'k':
        step->code = optarg;
        return EXIT_DONE;
    case 'o':
        step->occurred_at = optarg;
        return EXIT_DONE;
    case 't':
        return read_band(cli, command, optarg, &step->band);
    case 'e':
    case 's':
        return read_evidence(cli, command, choice == 'e', optarg, step);
    default:
        return cli_usage(cli, command, "No se entiende una opción.");
    }
}

static int read_step(const struct cli *cli, int argc, char **argv, struct step *step)
{
    static const struct option names[] = {
        {"item", required_argument, NULL, 'i'},
        {"occurrence", required_argument, NULL, 'n'},
        {"reason", required_argument, NULL, 'r'},
        {"competent", required_argument, NULL, 'c'},
        {"code", required_argument, NULL, 'k'},
        {"occurred-at", required_argument, NULL, 'o'},
        {"told", required_argument, NULL, 't'},
        {"evidence", required_argument, NULL, 'e'},
        {"evidence-sha256", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int choice;

    *step = (struct step){.reason = "", .competent = "", .code = "", .occurred_at = ""};
    opterr = 0;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        int status = read_option(cli, argv[0], choice, step);

        if (status != EXIT_DONE) {
            return status;
        }
    }
    return EXIT_DONE;
}

/* The exchange, by its own id or by that of a message that was answered in it. */
static int answer(struct cli *cli, const struct step *step, struct draft *draft,
                  struct message **message)
{
    struct fault fault = {0};
    int status = cli_need_spool(cli);

    if (status != EXIT_DONE) {
        return status;
    }
    if (cli_find_exchange(cli, &step->id, message, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    draft_init(draft);
    cli_answer(cli, &(*message)->header, &draft->header);
    draft->header.item = step->item;
    draft->header.occurred_at = step->occurred_at;
    draft->header.out_of_band = step->band;
    if (step->has_evidence) {
        draft->header.evidence_sha256 = BYTES_OF(step->evidence);
    }
    return EXIT_DONE;
}

/* What a decline may say, for who did not say it. */
static int list_declines(const struct cli *cli, const char *said)
{
    size_t count;
    const struct reason *reasons = reason_declines(&count);
    int status = cli_usage(
        cli, "act",
        said[0] == '\0' ? "Declinar lleva --reason." : "«%s» no es un motivo para declinar.", said);

    for (size_t i = 0; !cli->is_json && i < count; i++) {
        fprintf(stderr, "  %-22s %s\n", reasons[i].code, reasons[i].text);
    }
    return status;
}

int cmd_act(struct cli *cli, int argc, char **argv)
{
    struct draft *draft = arena_alloc(cli->arena, sizeof *draft);
    struct message *message = NULL;
    struct step step;
    enum event event;
    int status = read_step(cli, argc, argv, &step);

    if (status != EXIT_DONE) {
        return status;
    }
    if (draft == NULL || argc - optind != 2) {
        return cli_usage(cli, "act", "Faltan el evento y el identificador.");
    }
    event = event_from_name(argv[optind]);
    if (event == EVENT_NONE) {
        return cli_usage(cli, "act", "No hay un evento «%s».", argv[optind]);
    }
    if (event == EVENT_DECLINE && reason_of_decline(step.reason) == NULL) {
        return list_declines(cli, step.reason);
    }
    status = cli_id(cli, "act", argv[optind + 1], &step.id);
    status = status == EXIT_DONE ? answer(cli, &step, draft, &message) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    draft->header.type = MESSAGE_ACT;
    draft->header.regards = message->header.message_id;
    draft->header.event = event;
    draft->header.reason = step.reason;
    draft->header.competent = step.competent;
    return cli_send(cli, draft);
}

static const char *code_of(const struct header *header, uint32_t number)
{
    for (size_t i = 0; i < header->item_count; i++) {
        if (header->items[i].number == number) {
            return header->items[i].code;
        }
    }
    return "";
}

int cmd_report(struct cli *cli, int argc, char **argv)
{
    struct draft *draft = arena_alloc(cli->arena, sizeof *draft);
    struct message *message = NULL;
    struct step step;
    int status = read_step(cli, argc, argv, &step);

    if (status != EXIT_DONE) {
        return status;
    }
    if (draft == NULL || argc - optind != 1 || step.item == 0 || step.occurrence == 0) {
        return cli_usage(cli, "report", "Faltan el identificador, --item o --occurrence.");
    }
    status = cli_id(cli, "report", argv[optind], &step.id);
    status = status == EXIT_DONE ? answer(cli, &step, draft, &message) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    draft->header.type = MESSAGE_STATUS_REPORT;
    draft->header.occurrence = step.occurrence;
    draft->header.action_code =
        step.code[0] != '\0' ? step.code : code_of(&message->header, step.item);
    if (draft->header.action_code[0] != '\0') {
        draft->header.catalogue_code = draft->header.action_code;
    }
    return cli_send(cli, draft);
}
