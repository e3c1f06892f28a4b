#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/draft_json.h"
#include "enlace/command.h"

static int dry_run(const struct cli *cli)
{
    if (cli->is_json) {
        cli_print(json_pack("{s:b}", "ok", 1));
    } else {
        puts("El mensaje se entiende; no se envió.");
    }
    return EXIT_DONE;
}

static int submit(struct cli *cli, const char *path, bool is_dry, const char *folder)
{
    OWN(buffer) text = {0};
    OWN(draft_file) file = {0};
    struct fault fault = {0};
    int status;

    if (cli_read_file(path, DRAFT_JSON_MAX, &text, &fault) != RC_OK ||
        draft_json_read(buffer_bytes(&text), cli->arena, &file, &fault) != RC_OK) {
        status = cli_fault(cli, &fault);
    } else {
        status = !is_dry          ? cli_send(cli, &file.draft)
                 : folder == NULL ? dry_run(cli)
                                  : cli_explain(cli, &file.draft, folder);
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.size);
    }
    return status;
}

int cmd_submit(struct cli *cli, int argc, char **argv)
{
    const char *path = NULL;
    const char *folder = NULL;
    bool is_dry = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0) {
            is_dry = true;
        } else if (strcmp(argv[i], "--with") == 0 && i + 1 < argc) {
            folder = argv[++i];
        } else if (path != NULL || (argv[i][0] == '-' && argv[i][1] != '\0')) {
            return cli_usage(cli, "submit", "No se entiende «%s».", argv[i]);
        } else {
            path = argv[i];
        }
    }
    return submit(cli, path != NULL ? path : "-", is_dry, folder);
}
