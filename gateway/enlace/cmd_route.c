/*
 * cmd_route - `enlace route explain` and `enlace submit --dry-run --with`: each check that a node
 * would make of a message, with ✔ or ✖ and the line of the directory that decides it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/compose.h"
#include "client/draft_json.h"
#include "client/profile.h"
#include "enlace/command.h"
#include "policy/directory_file.h"
#include "policy/explain.h"
#include "policy/law_read.h"

enum rc cli_read_law(const char *path, struct directory **directory, struct fault *fault)
{
    return law_read(path, directory, fault);
}

/* ---- what the draft would be ---- */

static void message_of(const struct cli *cli, const struct draft *draft, struct message *message)
{
    *message = (struct message){.header = draft->header};
    if (message->header.from[0] == '\0' && cli->profile != NULL) {
        message->header.from = cli->profile->member;
    }
    if (message->header.urgency == URGENCY_NONE) {
        message->header.urgency = URGENCY_ORDINARY;
    }
    message->compartment_count = draft->compartment_count;
    for (size_t i = 0; i < draft->compartment_count; i++) {
        const struct draft_compartment *part = &draft->compartments[i];

        if (part->is_sealed) {
            message->sealed_types |= 1u << part->type;
            continue;
        }
        message->clear_types |= 1u << part->type;
        for (size_t j = 0; j < part->value_count; j++) {
            field_set_add(&message->fields, part->values[j].field);
        }
    }
}

/* ---- answers ---- */

static void print_text(const struct directory *directory, const struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->count; i++) {
        const struct explain_check *check = &explanation->checks[i];

        printf("%s %s", check->is_kept ? "✔" : "✖", check->name);
        if (check->text != TEXT_NONE && check->line != 0) {
            printf("  [%s v%llu, línea %u]", directory->texts[check->text].subject,
                   (unsigned long long)directory->texts[check->text].version, check->line);
        }
        putchar('\n');
        if (!check->is_kept) {
            printf("    %s (%s)\n", check->remedy, check->reason);
        }
    }
    if (explanation->route != NULL) {
        printf("Ruta: %s\n", explanation->route->id);
    }
    puts("Firmas y sellos no se revisan aquí: los revisa el nodo.");
}

static void print_json(const struct directory *directory, const struct explanation *explanation,
                       bool is_allowed)
{
    json_t *checks = json_array();

    for (size_t i = 0; i < explanation->count; i++) {
        const struct explain_check *check = &explanation->checks[i];
        const char *text = check->text != TEXT_NONE ? directory->texts[check->text].subject : "";

        json_array_append_new(checks,
                              json_pack("{s:s,s:b,s:s,s:i,s:s,s:s}", "check", check->name, "ok",
                                        check->is_kept, "text", text, "line", (int)check->line,
                                        "reason", check->reason, "remedy", check->remedy));
    }
    cli_print(json_pack("{s:b,s:s,s:o}", "allowed", is_allowed, "route",
                        explanation->route != NULL ? explanation->route->id : "", "checks",
                        checks));
}

int cli_explain(struct cli *cli, const struct draft *draft, const char *folder)
{
    OWN_PTR(directory) directory = NULL;
    struct explanation explanation;
    struct fault fault = {0};
    struct message message;
    enum rc rc;

    if (cli->profile_path != NULL && cli_need_profile(cli) != EXIT_DONE) {
        return EXIT_USAGE;
    }
    if (cli_read_law(folder, &directory, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    message_of(cli, draft, &message);
    rc =
        explain_opening(directory, &message, clock_local_day(clock_now_ms()), &explanation, &fault);
    if (cli->is_json) {
        print_json(directory, &explanation, rc == RC_OK);
    } else {
        print_text(directory, &explanation);
    }
    return rc == RC_OK ? EXIT_DONE : EXIT_FAILED;
}

static int explain_file(struct cli *cli, const char *path, const char *folder)
{
    OWN(buffer) text = {0};
    OWN(draft_file) file = {0};
    struct fault fault = {0};
    int status;

    if (cli_read_file(path, DRAFT_JSON_MAX, &text, &fault) != RC_OK ||
        draft_json_read(buffer_bytes(&text), cli->arena, &file, &fault) != RC_OK) {
        status = cli_fault(cli, &fault);
    } else {
        status = cli_explain(cli, &file.draft, folder);
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.size);
    }
    return status;
}

int cmd_route(struct cli *cli, int argc, char **argv)
{
    if (argc != 5 || strcmp(argv[1], "explain") != 0 || strcmp(argv[3], "--with") != 0) {
        return cli_usage(cli, "route", "Se espera: explain ARCHIVO.json --with CARPETA.");
    }
    return explain_file(cli, argv[2], argv[4]);
}
