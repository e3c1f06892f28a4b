#include "enlace/audit_answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/audit_seen.h"
#include "client/profile.h"
#include "client/record_json.h"
#include "client/session.h"
#include "enlace/command.h"
#include "tlog/leaf.h"

struct printing {
    struct audit_taker taker; /* first */
    struct cli *cli;
    const struct audit_query *query;
    json_t *rows; /* NULL: text */
    uint64_t disclosures;
};

static void print_line(const struct leaf *leaf, const struct record *record)
{
    char when[CLI_TIME_SIZE];
    char id[ID_TEXT_SIZE] = "";

    cli_time((int64_t)leaf->time_s * 1000, when);
    if (!id_is_zero(&record->exchange_id)) {
        id_format(&record->exchange_id, id);
    }
    printf("✔ %8" PRIu64 "  %s  %-9s  %s%s%s  %s %s  %s%s%s\n", leaf->index, when,
           record_kind_text(record->kind), record->from, record->to[0] != '\0' ? " → " : "",
           record->to, record_type_name(record), record->catalogue_code, record->reason,
           record->purpose, id);
}

/* What 45 CFR 164.528 counts, and the LGPDPPSO: when, to whom, what, why, on what basis. */
static void print_disclosure(const struct leaf *leaf, const struct record *record)
{
    char when[CLI_TIME_SIZE];
    char fields[1024];
    char sealed[256];

    cli_time((int64_t)leaf->time_s * 1000, when);
    field_set_describe(record->fields_sent, fields, sizeof fields);
    record_sealed_text(record->sealed_types, sealed, sizeof sealed);
    printf("✔ %s  hoja %" PRIu64 "\n", when, leaf->index);
    printf("    a quién      %s (de %s; %s)\n", record->to, record->from,
           record_transfer_text(record->transfer));
    printf("    qué          %s %s%s%s%s%s\n", record_type_name(record), record->catalogue_code,
           fields[0] != '\0' ? "; en claro: " : "", fields, sealed[0] != '\0' ? "; sellado: " : "",
           sealed);
    field_set_describe(record->fields_withheld, fields, sizeof fields);
    if (fields[0] != '\0') {
        printf("    se reservó   %s\n", fields);
    }
    printf("    para qué     %s (ruta %s)\n", record->purpose, record->route);
    printf("    fundamento   %s; aviso %s; consentimiento %s\n", record->legal_basis, record->aviso,
           record_consent_text(record->consent));
    printf("    quién actuó  %s%s%s\n", record->actor, record->official[0] != '\0' ? " por " : "",
           record->official);
}

static bool is_disclosure(const struct record *record)
{
    return record->kind == RECORD_SENT || record->kind == RECORD_RECEIVED;
}

static enum rc take(struct audit_taker *taker, const struct audit_entry *entry,
                    const struct leaf *leaf, const struct record *record, struct fault *fault)
{
    struct printing *printing = (struct printing *)taker;
    bool is_person = !id_is_zero(&printing->query->person);

    (void)entry;
    (void)fault;
    printing->disclosures += is_disclosure(record);
    if (printing->rows != NULL) {
        json_array_append_new(printing->rows, record_json(leaf, record));
    } else if (is_person && is_disclosure(record)) {
        print_disclosure(leaf, record);
    } else {
        print_line(leaf, record);
    }
    return RC_OK;
}

static int print_end(const struct printing *printing, const struct audit_find_end *end)
{
    if (printing->rows != NULL) {
        cli_print(json_pack("{s:s,s:I,s:I,s:b,s:I,s:I,s:o}", "log", end->head.origin, "size",
                            (json_int_t)end->size, "indexed_to", (json_int_t)end->indexed_to,
                            "verified", 1, "found", (json_int_t)end->found, "disclosures",
                            (json_int_t)printing->disclosures, "records", printing->rows));
        return EXIT_DONE;
    }
    printf("%" PRIu64 " de %" PRIu64 " registros verificados bajo el sello de %s, hasta la hoja "
           "%" PRIu64 ".\n",
           end->found, end->found, end->head.origin, end->size);
    if (!id_is_zero(&printing->query->person)) {
        puts("Que no falte ninguno se comprueba con «enlace audit rescan».");
    }
    return EXIT_DONE;
}

int audit_answer(struct cli *cli, const struct petition *petition, const char *seen_path)
{
    struct printing printing = {.taker = {take},
                                .cli = cli,
                                .query = &petition->query,
                                .rows = cli->is_json ? json_array() : NULL};
    OWN_PTR(audit_find) find = NULL;
    struct audit_find_end end;
    struct audit_seen seen;
    struct fault fault = {0};

    if (audit_seen_load(seen_path, cli->profile->logs, cli->profile->own_log_count, &seen,
                        &fault) != RC_OK ||
        audit_find_open(cli->session, petition, &seen, &find, &fault) != RC_OK ||
        audit_find_all(find, 0, &printing.taker, &end, &fault) != RC_OK) {
        json_decref(printing.rows);
        return cli_fault(cli, &fault);
    }
    return print_end(&printing, &end);
}
