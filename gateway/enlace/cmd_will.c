/* consent and veto: what a person wants done with her or his data, declared by who attends the
 * case. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "client/official_ask.h"
#include "enlace/command.h"

static const char *const consent_names[WILL_CONSENTS] = {"unknown", "given", "impeded",
                                                         "withdrawn"};
static const char *const consent_texts[WILL_CONSENTS] = {
    "lo que diga cada mensaje", "dado", "decidido por la persona: falta que ratifique", "retirado"};

static json_t *texts_json(const char *texts, size_t size, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_string(texts + i * size));
    }
    return list;
}

static void print_json(const struct will *will)
{
    cli_print(
        json_pack("{s:s,s:s,s:s,s:I,s:I,s:o,s:o}", "consent", consent_names[will->consent],
                  "reference", will->reference, "official", will->official, "since_ms",
                  (json_int_t)will->since_ms, "ratify_by_ms", (json_int_t)will->ratify_by_ms,
                  "excluded", texts_json(will->excluded[0], WILL_NAME_SIZE, will->excluded_count),
                  "standing", texts_json(will->standing[0], CODE_SIZE, will->standing_count)));
}

static void print_will(const struct will *will)
{
    char when[CLI_TIME_SIZE];

    printf("Consentimiento: %s", consent_texts[will->consent]);
    if (will->consent != WILL_UNKNOWN) {
        cli_time(will->since_ms, when);
        printf(" (%s, %s, %s)", will->reference, will->official, when);
    }
    if (will->consent == WILL_IMPEDED) {
        cli_time(will->ratify_by_ms, when);
        printf(", antes del %s", when);
    }
    puts(will->excluded_count > 0 ? "\nExcluyó a:" : "\nNo excluyó a nadie.");
    for (size_t i = 0; i < will->excluded_count; i++) {
        printf("  %s\n", will->excluded[i]);
    }
    puts("Llevan el caso:");
    for (size_t i = 0; i < will->standing_count; i++) {
        printf("  %s\n", will->standing[i]);
    }
}

static int show(struct cli *cli, const struct id *person)
{
    struct will will;
    struct fault fault = {0};

    if (official_will(cli->session, person, cli->arena, &will, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        print_json(&will);
    } else {
        print_will(&will);
    }
    return EXIT_DONE;
}

static int declare(struct cli *cli, const struct id *person, enum official_kind kind,
                   const char *target)
{
    struct official_act act = {.kind = kind, .subject = *person, .reason = "", .target = target};
    struct fault fault = {0};

    if (official_give(cli->session, cli->profile, &act, NULL, cli->arena, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s}", "act", official_act_name(kind)));
    } else {
        puts("Declarado con su firma; rige desde el siguiente mensaje.");
    }
    return EXIT_DONE;
}

/* What a verb declares; `target` is the option or argument that it needs. */
static int run(struct cli *cli, const char *command, const char *person, bool is_shown,
               enum official_kind kind, const char *target)
{
    struct id id;
    int status;

    if (person == NULL || (!is_shown && (kind == OFFICIAL_NONE || target == NULL))) {
        return cli_usage(cli, command, "Faltan el verbo, la persona o lo que se declara.");
    }
    status = cli_id(cli, command, person, &id);
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    return is_shown ? show(cli, &id) : declare(cli, &id, kind, target);
}

int cmd_consent(struct cli *cli, int argc, char **argv)
{
    static const struct option names[] = {{"reference", required_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    const char *verb = argc > 1 ? argv[1] : "";
    const char *reference = NULL;
    enum official_kind kind = strcmp(verb, "ratify") == 0     ? OFFICIAL_RATIFY
                              : strcmp(verb, "withdraw") == 0 ? OFFICIAL_WITHDRAW
                                                              : OFFICIAL_NONE;
    int choice;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (choice != 'r') {
            return cli_usage(cli, "consent", "No se entiende una opción.");
        }
        reference = optarg;
    }
    return run(cli, "consent", optind + 1 < argc ? argv[optind + 1] : NULL,
               strcmp(verb, "show") == 0, kind, reference);
}

int cmd_veto(struct cli *cli, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    enum official_kind kind = strcmp(verb, "add") == 0      ? OFFICIAL_EXCLUDE
                              : strcmp(verb, "remove") == 0 ? OFFICIAL_INCLUDE
                              : strcmp(verb, "grant") == 0  ? OFFICIAL_GIVE_STANDING
                                                            : OFFICIAL_NONE;

    return run(cli, "veto", argc > 2 ? argv[2] : NULL, strcmp(verb, "list") == 0, kind,
               argc > 3 ? argv[3] : NULL);
}
