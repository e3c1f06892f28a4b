/*
 * log: what concerns a log as a whole. Here its export: into a folder, as C2SP tiles; goes on where
 * an earlier run ended.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/ask.h"
#include "client/audit_case.h"
#include "client/audit_read.h"
#include "client/profile.h"
#include "client/session.h"
#include "enlace/command.h"
#include "enlace/log_epoch.h"
#include "enlace/reindex.h"
#include "offline/log_folder.h"
#include "tlog/policy.h"

#define PAGE_ARENA_MAX ((size_t)64 << 20)

struct exporting {
    const char *path;
    const char *purpose;    /* an audit of its own, closed at the end */
    const char *audit_path; /* or one that goes on */
    const char *policy_path;
    bool has_entries;
    bool has_records;
    bool is_fresh;  /* from the checkpoint on, whatever lies beyond it */
    uint64_t size;  /* when done */
    uint64_t added; /* in this run */
    char origin[VKEY_NAME_MAX + 1];
};

static int read_arguments(struct cli *cli, int argc, char **argv, struct exporting *exporting)
{
    static const struct option names[] = {
        {"entries", no_argument, NULL, 'e'},       {"records", no_argument, NULL, 'r'},
        {"purpose", required_argument, NULL, 'p'}, {"policy", required_argument, NULL, 'q'},
        {"audit", required_argument, NULL, 'a'},   {NULL, 0, NULL, 0},
    };
    int choice;

    opterr = 0;
    optind = 1;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (choice) {
        case 'r':
            exporting->has_records = true;
            exporting->has_entries = true;
            break;
        case 'e':
            exporting->has_entries = true;
            break;
        case 'p':
            exporting->purpose = optarg;
            break;
        case 'a':
            exporting->audit_path = optarg;
            break;
        case 'q':
            exporting->policy_path = optarg;
            break;
        default:
            return cli_usage(cli, "log", "Una opción no se entiende.");
        }
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "log", "Se esperaba «log export CARPETA».");
    }
    if ((exporting->purpose == NULL) == (exporting->audit_path == NULL)) {
        return cli_usage(cli, "log", "Falta --purpose (para qué se lee) o --audit.");
    }
    exporting->path = argv[optind];
    return EXIT_DONE;
}

/*
 * The newest checkpoint with a quorum, when the folder is not past it already: a reader with a
 * policy believes no other. Without one the export ends at the log's own newest.
 */
static bool find_witnessed(struct cli *cli, uint64_t size, struct buffer *note,
                           struct checkpoint *head)
{
    const struct profile *profile = cli->profile;
    struct fault ignored = {0};
    struct bytes found;

    for (size_t i = 0; i < profile->own_log_count; i++) {
        if (ask_checkpoint(cli->session, profile->logs[i].name, cli->arena, &found, &ignored) ==
                RC_OK &&
            checkpoint_open(found, &profile->logs[i], NULL, head) == RC_OK && head->size >= size) {
            buffer_put_bytes(note, found);
            return !note->is_failed;
        }
    }
    return false;
}

/* Up to the head of the first page: the log may grow faster than it is read. */
static enum rc add_page(struct log_folder *folder, const struct audit_page *page, uint64_t end,
                        struct fault *fault)
{
    OWN(buffer) record = {0};

    for (size_t i = 0; i < page->entry_count && log_folder_size(folder) < end; i++) {
        const struct audit_entry *entry = &page->entries[i];

        buffer_clear(&record);
        if (entry->record.size > 0) {
            buffer_put_bytes(&record, entry->record_blind);
            buffer_put_bytes(&record, entry->record);
        }
        TRY(log_folder_add(folder, entry->leaf, buffer_bytes(&record), fault));
    }
    return RC_OK;
}

/* From the first page's head on: where to end, and what an interrupted run left on the way. */
static enum rc begin_at(struct log_folder *folder, const struct checkpoint *head,
                        struct exporting *exporting, struct fault *fault)
{
    snprintf(exporting->origin, sizeof exporting->origin, "%s", head->origin);
    return exporting->is_fresh ? RC_OK : log_folder_resume(folder, head->size, fault);
}

static enum rc add_pages(struct cli *cli, struct audit_read *read, struct log_folder *folder,
                         struct buffer *note, struct exporting *exporting, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(PAGE_ARENA_MAX);
    struct checkpoint end = {0};
    bool has_end = find_witnessed(cli, log_folder_size(folder), note, &end);

    if (has_end) {
        snprintf(exporting->origin, sizeof exporting->origin, "%s", end.origin);
    }

    while (!has_end || log_folder_size(folder) < end.size) {
        uint64_t from = log_folder_size(folder);
        struct checkpoint head;
        struct audit_page page;

        if (arena == NULL) {
            return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
        }
        TRY(audit_read_page(read, from, arena, &page, &head, fault));
        if (!has_end) {
            has_end = true;
            end = head;
            buffer_put_bytes(note, page.checkpoint);
            TRY(begin_at(folder, &head, exporting, fault));
        }
        if (log_folder_size(folder) == from) {
            TRY(add_page(folder, &page, end.size, fault));
        }
        arena_reset(arena);
    }
    return RC_OK;
}

static const struct vkey *key_of(const struct profile *profile, const char *origin)
{
    for (size_t i = 0; i < profile->own_log_count; i++) {
        if (strcmp(profile->logs[i].name, origin) == 0) {
            return &profile->logs[i];
        }
    }
    return NULL;
}

static enum rc put_texts(struct cli *cli, struct log_folder *folder,
                         const struct exporting *exporting, struct bytes policy,
                         struct fault *fault)
{
    const struct vkey *vkey = key_of(cli->profile, exporting->origin);
    char line[VKEY_TEXT_SIZE + 1];

    if (vkey != NULL) {
        vkey_format(vkey, line);
        strncat(line, "\n", 2);
        TRY(log_folder_put_text(folder, "vkey", bytes_text(line), fault));
    }
    return policy.size > 0 ? log_folder_put_text(folder, "policy", policy, fault) : RC_OK;
}

static enum rc read_policy(const char *path, struct buffer *text, struct fault *fault)
{
    struct policy *policy;
    struct policy_flaw flaw;
    enum rc rc;

    if (path == NULL) {
        return RC_OK;
    }
    TRY(cli_read_file(path, POLICY_SIZE_MAX, text, fault));
    policy = calloc(1, sizeof *policy);
    rc = policy != NULL ? policy_parse(buffer_bytes(text), policy, &flaw) : RC_RESOURCE_EXHAUSTED;
    free(policy);
    return rc == RC_INVALID_ARGUMENT
               ? refuse(fault, rc, "file.policy", path, "Línea %zu: no es una política: %s.",
                        flaw.line, flaw.reason)
               : rc;
}

static enum rc read_case(const struct exporting *exporting, struct audit_case *audit,
                         struct fault *fault)
{
    OWN(buffer) text = {0};

    if (exporting->purpose != NULL) {
        return audit_case_make(exporting->purpose, audit, fault);
    }
    TRY(cli_read_file(exporting->audit_path, AUDIT_CASE_SIZE_MAX, &text, fault));
    return audit_case_parse(buffer_bytes(&text), audit) == RC_OK
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "file.audit", exporting->audit_path,
                        "Ese archivo no es una auditoría; ábrala con «enlace audit open».");
}

/* RC_ABORTED: what an interrupted run left is not of this log; once more, without it. */
static enum rc export_into(struct cli *cli, struct audit_read *read, struct bytes policy,
                           struct exporting *exporting, struct fault *fault)
{
    const struct log_folder_options options = {
        .path = exporting->path,
        .logs = cli->profile->logs,
        .log_count = cli->profile->own_log_count,
        .has_entries = exporting->has_entries,
        .has_records = exporting->has_records,
    };
    OWN_PTR(log_folder) folder = NULL;
    OWN(buffer) note = {0};
    uint64_t before;

    TRY(log_folder_open(&options, &folder, fault));
    before = log_folder_size(folder);
    TRY(add_pages(cli, read, folder, &note, exporting, fault));
    TRY(log_folder_finish(folder, buffer_bytes(&note), fault));
    exporting->size = log_folder_size(folder);
    exporting->added = exporting->size - before;
    return put_texts(cli, folder, exporting, policy, fault);
}

static enum rc export_log(struct cli *cli, struct exporting *exporting, struct fault *fault)
{
    OWN_PTR(audit_read) read = NULL;
    OWN(buffer) policy = {0};
    struct audit_closed closed;
    struct audit_case audit;
    enum rc rc;

    TRY(read_policy(exporting->policy_path, &policy, fault));
    TRY(read_case(exporting, &audit, fault));
    TRY(audit_read_open(cli->session, &audit, &read, fault));
    rc = export_into(cli, read, buffer_bytes(&policy), exporting, fault);
    if (rc == RC_ABORTED) {
        *fault = (struct fault){0};
        exporting->is_fresh = true;
        rc = export_into(cli, read, buffer_bytes(&policy), exporting, fault);
    }
    TRY(rc);
    TRY(audit_read_end(read, fault));
    return exporting->purpose != NULL ? audit_case_close(cli->session, &audit, &closed, fault)
                                      : RC_OK;
}

static int run_export(struct cli *cli, int argc, char **argv)
{
    struct exporting exporting = {0};
    struct fault fault = {0};
    int status = read_arguments(cli, argc, argv, &exporting);

    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (export_log(cli, &exporting, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:I,s:I,s:s}", "log", exporting.origin, "size",
                            (json_int_t)exporting.size, "added", (json_int_t)exporting.added,
                            "folder", exporting.path));
        return EXIT_DONE;
    }
    printf("Bitácora %s: %" PRIu64 " hojas en %s, %" PRIu64 " nuevas\n", exporting.origin,
           exporting.size, exporting.path, exporting.added);
    return EXIT_DONE;
}

static int run_reindex(struct cli *cli, int argc, char **argv)
{
    bool is_status = argc == 2 && strcmp(argv[1], "--status") == 0;
    int status = argc == 1 || is_status
                     ? cli_need_session(cli)
                     : cli_usage(cli, "log", "Se esperaba «log reindex [--status]».");

    return status == EXIT_DONE ? reindex(cli, !is_status) : status;
}

static const struct {
    const char *name;
    int (*run)(struct cli *cli, int argc, char **argv);
} actions[] = {
    {"export", run_export},       {"reindex", run_reindex},
    {"succeed", log_succeed},     {"sign", log_sign},
    {"statement", log_statement}, {"vkey", log_vkey},
    {"seen", log_seen},           {"gap", log_gap},
    {"prune", log_prune},
};

int cmd_log(struct cli *cli, int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(argv[1], actions[i].name) == 0) {
            return actions[i].run(cli, argc - 1, argv + 1);
        }
    }
    return cli_usage(
        cli, "log",
        "Se esperaba export, reindex, seen, succeed, sign, statement, vkey, gap o prune.");
}
