#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/draft_json.h"
#include "enlace/command.h"
#include "enlace/kinship.h"

static int dry_run(const struct cli *cli)
{
    if (cli->is_json) {
        cli_print(json_pack("{s:b}", "ok", 1));
    } else {
        puts("El mensaje se entiende; no se envió.");
    }
    return EXIT_DONE;
}

struct submit_options {
    const char *path;
    const char *folder;
    const char *reason; /* of the broken glass */
    bool is_dry;
    bool breaks_glass;
    bool is_reroute; /* of what was declined there: */
    struct id declined;
};

/* What was declined goes on to who is competent. */
static int reroute(struct cli *cli, const struct id *declined, struct draft *draft)
{
    struct fault fault = {0};
    int status = cli_need_session(cli);

    if (status != EXIT_DONE) {
        return status;
    }
    return kinship_reroute(cli, declined, draft, &fault) == RC_OK ? EXIT_DONE
                                                                  : cli_fault(cli, &fault);
}

static int submit(struct cli *cli, const struct submit_options *options)
{
    OWN(buffer) text = {0};
    OWN(draft_file) file = {0};
    struct fault fault = {0};
    int status;

    if (cli_read_file(options->path, DRAFT_JSON_MAX, &text, &fault) != RC_OK ||
        draft_json_read(buffer_bytes(&text), cli->arena, &file, &fault) != RC_OK) {
        status = cli_fault(cli, &fault);
    } else {
        if (options->breaks_glass) {
            file.draft.header.break_glass = options->reason;
            file.draft.header.urgency = URGENCY_URGENT;
        }
        status = options->is_reroute ? reroute(cli, &options->declined, &file.draft) : EXIT_DONE;
        status = status != EXIT_DONE       ? status
                 : !options->is_dry        ? cli_send(cli, &file.draft)
                 : options->folder == NULL ? dry_run(cli)
                                           : cli_explain(cli, &file.draft, options->folder);
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.size);
    }
    return status;
}

int cmd_submit(struct cli *cli, int argc, char **argv)
{
    struct submit_options options = {.reason = ""};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0) {
            options.is_dry = true;
        } else if (strcmp(argv[i], "--with") == 0 && i + 1 < argc) {
            options.folder = argv[++i];
        } else if (strcmp(argv[i], "--break-glass") == 0) {
            options.breaks_glass = true;
        } else if (strcmp(argv[i], "--reason") == 0 && i + 1 < argc) {
            options.reason = argv[++i];
        } else if (strcmp(argv[i], "--reroute") == 0 && i + 1 < argc) {
            int status = cli_id(cli, "submit", argv[++i], &options.declined);

            if (status != EXIT_DONE) {
                return status;
            }
            options.is_reroute = true;
        } else if (options.path != NULL || (argv[i][0] == '-' && argv[i][1] != '\0')) {
            return cli_usage(cli, "submit", "No se entiende «%s».", argv[i]);
        } else {
            options.path = argv[i];
        }
    }
    if (options.breaks_glass != (options.reason[0] != '\0')) {
        return cli_usage(cli, "submit", "--break-glass y --reason CLAVE van juntos.");
    }
    options.path = options.path != NULL ? options.path : "-";
    return submit(cli, &options);
}
