#include "enlace/receipts_text.h"

#include <stdio.h>

#include "client/receipt_check.h"
#include "enlace/command.h"

static json_t *one_as_json(const struct receipt *receipt, const struct receipt_facts *facts,
                           const struct fault *fault)
{
    return json_pack("{s:s,s:b,s:s,s:s,s:I,s:I,s:I,s:s,s:s,s:s}", "level",
                     receipt_level_name(receipt->level), "verified", fault->rc == RC_OK, "grade",
                     "firmado por la bitácora", "log", facts->origin, "index",
                     (json_int_t)facts->index, "tree_size", (json_int_t)facts->tree_size, "time_ms",
                     (json_int_t)facts->time_ms, "check", fault->reason, "path", fault->path,
                     "remedy", fault->remedy);
}

static void print_one(const struct receipt *receipt, const struct receipt_facts *facts,
                      const struct fault *fault)
{
    char when[CLI_TIME_SIZE];

    if (fault->rc != RC_OK) {
        printf("✖ %s: NO verifica\n    %s\n    comprobación que falló: %s\n",
               receipt_level_text(receipt->level), fault->remedy, fault->reason);
        return;
    }
    cli_time(facts->time_ms, when);
    printf("✔ %s\n    bitácora %s, hoja %llu, árbol de %llu, %s\n"
           "    grado: firmado por la bitácora\n",
           receipt_level_text(receipt->level), facts->origin, (unsigned long long)facts->index,
           (unsigned long long)facts->tree_size, when);
}

int receipts_text_check(const struct cli *cli, const struct receipt_file *file,
                        const struct vkey *logs, size_t log_count, const char *stored)
{
    json_t *list = json_array();
    char id[ID_TEXT_SIZE];
    size_t verified = 0;

    id_format(&file->message_id, id);
    if (!cli->is_json) {
        printf("Mensaje %s\n", id);
    }
    for (size_t i = 0; i < file->count; i++) {
        struct receipt_facts facts = {0};
        struct fault fault = {0};

        verified += receipt_check(file->commitment, &file->receipts[i], logs, log_count, &facts,
                                  &fault) == RC_OK;
        if (cli->is_json) {
            json_array_append_new(list, one_as_json(&file->receipts[i], &facts, &fault));
        } else {
            print_one(&file->receipts[i], &facts, &fault);
        }
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:b,s:o,s:s}", "message_id", id, "verified",
                            verified == file->count, "receipts", list, "file",
                            stored != NULL ? stored : ""));
        return verified == file->count ? EXIT_DONE : EXIT_FAILED;
    }
    json_decref(list);
    if (stored != NULL) {
        printf("Guardado en %s\n", stored);
    }
    return verified == file->count ? EXIT_DONE : EXIT_FAILED;
}
