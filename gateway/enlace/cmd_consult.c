/* consult: one question to several members, an exchange for each, until its session is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/draft_json.h"
#include "enlace/command.h"

#define RECIPIENTS_MAX 32

/* The draft as it reads for one of them: its keys stand in place of the common ones. */
static enum rc read_for(struct cli *cli, const json_t *root, json_t *recipient,
                        struct draft_file *file, struct fault *fault)
{
    json_t *own = json_deep_copy(root);
    char *text = NULL;
    enum rc rc;

    if (own == NULL || json_object_del(own, "recipients") != 0 ||
        json_object_update(own, recipient) != 0 || (text = json_dumps(own, JSON_COMPACT)) == NULL) {
        rc = refuse(fault, RC_INVALID_ARGUMENT, "draft.recipients", "recipients",
                    "«recipients» es una lista de objetos, cada uno con su «to».");
    } else {
        rc = draft_json_read(bytes_text(text), cli->arena, file, fault);
    }
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
    json_decref(own);
    return rc;
}

static int ask_one(struct cli *cli, const json_t *root, json_t *recipient)
{
    OWN(draft_file) file = {0};
    struct fault fault = {0};

    if (read_for(cli, root, recipient, &file, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (file.draft.header.type != MESSAGE_CONSULTATION) {
        return cli_usage(cli, "consult", "Se esperaba «type»: «Consultation».");
    }
    if (!cli->is_json) {
        printf("A %s\n", file.draft.header.to);
    }
    return cli_send(cli, &file.draft);
}

/* All are asked, whatever becomes of one: the worst outcome is the command's. */
static int ask_all(struct cli *cli, const json_t *root)
{
    json_t *recipients = json_object_get(root, "recipients");
    size_t count = json_array_size(recipients);
    int worst = EXIT_DONE;

    if (count == 0 || count > RECIPIENTS_MAX) {
        return cli_usage(cli, "consult", "«recipients» lleva de 1 a %d instituciones.",
                         RECIPIENTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        int status = ask_one(cli, root, json_array_get(recipients, i));

        worst = status > worst ? status : worst;
    }
    return worst;
}

int cmd_consult(struct cli *cli, int argc, char **argv)
{
    OWN(buffer) text = {0};
    struct fault fault = {0};
    json_t *root;
    int status;

    if (argc != 2) {
        return cli_usage(cli, "consult", "Falta el archivo de la consulta.");
    }
    if (cli_read_file(argv[1], DRAFT_JSON_MAX, &text, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    status = json_is_object(root) ? ask_all(cli, root)
                                  : cli_usage(cli, "consult", "El archivo no es un objeto JSON.");
    json_decref(root);
    return status;
}
