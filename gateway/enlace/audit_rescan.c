#include "enlace/audit_rescan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/audit_find.h"
#include "client/profile.h"
#include "enlace/command.h"
#include "offline/log_check.h"
#include "offline/report.h"
#include "offline/trust.h"
#include "tlog/commit.h"

#define LEAVES_MAX ((size_t)1 << 24)

struct leaves {
    uint64_t *at;
    size_t count;
    size_t capacity;
    bool is_failed;
};

struct scan {
    struct log_visitor visitor; /* first */
    uint64_t minimum;           /* records of leaves below it were pruned */
    uint8_t key[HASH_SIZE];
    uint64_t looked_at;
    struct leaves found;
};

struct answer {
    struct audit_taker taker; /* first */
    const uint8_t *key;
    struct leaves first; /* in which the key finds the person */
    uint64_t others;     /* in which she or he is named after somebody */
};

static void leaves_add(struct leaves *leaves, uint64_t leaf)
{
    if (leaves->count == leaves->capacity) {
        size_t capacity = leaves->capacity == 0 ? 256 : 2 * leaves->capacity;
        uint64_t *at = capacity <= LEAVES_MAX ? realloc(leaves->at, capacity * sizeof *at) : NULL;

        if (at == NULL) {
            leaves->is_failed = true;
            return;
        }
        leaves->at = at;
        leaves->capacity = capacity;
    }
    leaves->at[leaves->count++] = leaf;
}

static bool is_tagged(const uint8_t key[HASH_SIZE], const struct leaf *leaf)
{
    uint8_t tag[LEAF_TAG_SIZE];

    commit_tag(key, leaf->nonce, COMMIT_SUBJECT, tag);
    return memcmp(tag, leaf->subject_tag, LEAF_TAG_SIZE) == 0;
}

static void look(struct log_visitor *visitor, const struct checkpoint *head,
                 const struct leaf *leaf, struct bytes record)
{
    struct scan *scan = (struct scan *)visitor;

    (void)head;
    (void)record;
    scan->looked_at++;
    if (is_tagged(scan->key, leaf)) {
        leaves_add(&scan->found, leaf->index);
    }
}

static enum rc take(struct audit_taker *taker, const struct audit_entry *entry,
                    const struct leaf *leaf, const struct record *record, struct fault *fault)
{
    struct answer *answer = (struct answer *)taker;

    (void)entry;
    (void)record;
    (void)fault;
    if (is_tagged(answer->key, leaf)) {
        leaves_add(&answer->first, leaf->index);
    } else {
        answer->others++;
    }
    return RC_OK;
}

/* Both ascend. */
static void compare(const struct scan *scan, const struct answer *answer, uint64_t size,
                    uint64_t minimum, struct report *report)
{
    size_t at = 0;
    uint64_t hidden = 0;
    uint64_t pruned = 0;

    for (size_t i = 0; i < scan->found.count; i++) {
        uint64_t leaf = scan->found.at[i];
        char where[48];

        while (at < answer->first.count && answer->first.at[at] < leaf) {
            at++;
        }
        if (leaf < minimum) {
            pruned++;
            continue;
        }
        if (leaf < size && (at == answer->first.count || answer->first.at[at] != leaf)) {
            snprintf(where, sizeof where, "hoja %" PRIu64, leaf);
            report_bad(report, "rescan.hidden", where,
                       "La hoja lleva la etiqueta de la persona y el nodo no la entregó.");
            hidden++;
        }
    }
    report_number(report, "answered", "El nodo entregó", answer->first.count);
    report_number(report, "named_after", "Más las que la nombran después de otra persona",
                  answer->others);
    report_number(report, "hidden", "Ocultas", hidden);
    report_number(report, "pruned_leaves", pruned > 0 ? "Con su registro depurado" : "", pruned);
}

static void scan_folder(const struct profile *profile, const char *folder, struct scan *scan,
                        struct report *report, struct trust *trust)
{
    const struct log_check check = {
        .path = folder, .trust = trust, .visitor = &scan->visitor, .minimum = &scan->minimum};
    struct checkpoint head = {.size = 0};

    for (size_t i = 0; i < profile->own_log_count; i++) {
        trust->logs[trust->log_count++] = profile->logs[i];
    }
    trust->now_s = (uint64_t)time(NULL);
    trust->tolerance_s = TRUST_TOLERANCE_S;
    log_check_run(&check, &head, report);
    if (scan->looked_at != head.size || scan->found.is_failed) {
        report_bad(report, "rescan.unread", folder,
                   "No se miraron todas las hojas: exporte con «log export --entries».");
    }
    report_number(report, "looked_at", "Hojas miradas", scan->looked_at);
    report_number(report, "tagged", "Con la etiqueta de la persona", scan->found.count);
}

static enum rc rescan(struct cli *cli, const struct petition *petition, const char *folder,
                      struct scan *scan, struct answer *answer, struct report *report,
                      struct fault *fault)
{
    OWN_PTR(audit_find) find = NULL;
    struct trust *trust = calloc(1, sizeof *trust);
    struct audit_find_end end;
    uint64_t index = 0;
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    if (trust != NULL) {
        rc = audit_find_tag_key(cli->session, petition, scan->key, &index, fault);
    }
    if (rc == RC_OK) {
        scan_folder(cli->profile, folder, scan, report, trust);
        rc = audit_find_open(cli->session, petition, NULL, &find, fault);
    }
    free(trust);
    TRY(rc);
    answer->key = scan->key;
    TRY(audit_find_all(find, 0, &answer->taker, &end, fault));
    if (answer->first.is_failed) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    report_number(report, "given_at", "La entrega de la llave quedó en la hoja", index);
    compare(scan, answer, end.size, scan->minimum, report);
    return RC_OK;
}

int audit_rescan(struct cli *cli, const struct petition *petition, const char *folder)
{
    struct scan scan = {.visitor = {look}};
    struct answer answer = {.taker = {take}};
    struct report *report = calloc(1, sizeof *report);
    struct fault fault = {0};
    int status;

    if (report == NULL) {
        (void)refuse(&fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
        return cli_fault(cli, &fault);
    }
    report->what = "rescan";
    status = rescan(cli, petition, folder, &scan, &answer, report, &fault) == RC_OK
                 ? report_print(report, cli->is_json, stdout)
                 : cli_fault(cli, &fault);
    explicit_bzero(scan.key, sizeof scan.key);
    free(scan.found.at);
    free(answer.first.at);
    free(report);
    return status;
}
