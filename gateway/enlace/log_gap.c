/*
 * log gap: of an exported log that began after another one was lost, which leaves of that one came
 * back and which are known by number only; and which messages came back without their attachments,
 * which no log and no peer gives back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/profile.h"
#include "enlace/command.h"
#include "enlace/log_epoch.h"
#include "offline/log_check.h"
#include "offline/report.h"
#include "rpc/codec.h"
#include "tlog/succession.h"

/* Leaves of the old log that one command keeps in mind: two million bytes. */
#define LEAVES_MAX ((uint64_t)1 << 24)
#define RECORD_ARENA ((size_t)256 << 10)
#define BARE_MAX 4096

struct gap {
    struct log_visitor visitor; /* first */
    struct arena *arena;
    struct succession succession;
    bool has_succession;
    uint64_t leaves;  /* of the old log, at least */
    uint8_t *is_back; /* a bit for each */
    uint64_t back;
    uint64_t unread;
    struct id bare[BARE_MAX]; /* messages whose attachments are to be put again */
    size_t bare_count;        /* all of them; the first BARE_MAX are named */
};

static void begin(struct gap *gap, const struct record *record)
{
    struct note *note = arena_alloc(gap->arena, sizeof *note);

    if (note == NULL || note_parse(record->succession, note) != RC_OK ||
        succession_parse(note->text, &gap->succession) != RC_OK) {
        gap->unread++;
        return;
    }
    gap->leaves = record->first_index < LEAVES_MAX ? record->first_index : LEAVES_MAX;
    gap->is_back = calloc(1, (size_t)LEAVES_MAX / 8);
    gap->has_succession = gap->is_back != NULL;
}

static void mark(struct gap *gap, struct bytes old_leaf)
{
    struct leaf leaf;

    if (leaf_decode(old_leaf, &leaf) != RC_OK || leaf.index >= LEAVES_MAX) {
        gap->unread++;
        return;
    }
    if ((gap->is_back[leaf.index / 8] >> leaf.index % 8 & 1) == 0) {
        gap->is_back[leaf.index / 8] |= (uint8_t)(1u << leaf.index % 8);
        gap->back++;
    }
    gap->leaves = leaf.index >= gap->leaves ? leaf.index + 1 : gap->leaves;
}

static bool has_attachments(const struct record *record)
{
    int number = field_number("attachments.entries.attachment_id");

    return (record->sealed_types >> COMPARTMENT_ATTACHMENTS & 1) != 0 ||
           (number >= 0 && field_set_has(record->fields_sent, (unsigned)number));
}

static void note_bare(struct gap *gap, const struct record *record)
{
    if (has_attachments(record)) {
        if (gap->bare_count < BARE_MAX) {
            gap->bare[gap->bare_count] = record->message_id;
        }
        gap->bare_count++;
    }
}

static void on_leaf(struct log_visitor *visitor, const struct checkpoint *head,
                    const struct leaf *leaf, struct bytes blind_and_record)
{
    struct gap *gap = (struct gap *)visitor;
    struct record record;

    (void)head;
    if (blind_and_record.size <= BLIND_SIZE) {
        return;
    }
    arena_reset(gap->arena);
    if (codec_record_read(
            BYTES(blind_and_record.data + BLIND_SIZE, blind_and_record.size - BLIND_SIZE),
            gap->arena, &record, NULL) != RC_OK) {
        gap->unread++;
    } else if (leaf->index == 0 && record.kind == RECORD_EPOCH) {
        begin(gap, &record);
    } else if (gap->has_succession && record.replayed_leaf.size > 0) {
        mark(gap, record.replayed_leaf);
        note_bare(gap, &record);
    }
}

static bool is_back(const struct gap *gap, uint64_t index)
{
    return (gap->is_back[index / 8] >> index % 8 & 1) != 0;
}

/* The ranges without a leaf that came back, both ends included. */
static void print_ranges(const struct gap *gap, json_t *ranges)
{
    for (uint64_t from = 0; from < gap->leaves; from++) {
        uint64_t to = from;

        if (is_back(gap, from)) {
            continue;
        }
        while (to + 1 < gap->leaves && !is_back(gap, to + 1)) {
            to++;
        }
        if (ranges != NULL) {
            json_array_append_new(ranges, json_pack("[I,I]", (json_int_t)from, (json_int_t)to));
        } else {
            printf("  %" PRIu64 "..%" PRIu64 "  (%" PRIu64 ")%s\n", from, to, to - from + 1,
                   from >= gap->succession.last.size ? "  después del último sello" : "");
        }
        from = to;
    }
}

static void print_bare(const struct gap *gap, json_t *ids)
{
    size_t count = gap->bare_count < BARE_MAX ? gap->bare_count : BARE_MAX;

    if (ids == NULL && count > 0) {
        printf("Volvieron sin sus anexos %zu mensajes; quien tenga los archivos los envía otra vez "
               "(enlace put --id):\n",
               gap->bare_count);
    }
    for (size_t i = 0; i < count; i++) {
        char id[ID_TEXT_SIZE];

        id_format(&gap->bare[i], id);
        if (ids != NULL) {
            json_array_append_new(ids, json_string(id));
        } else {
            printf("  %s\n", id);
        }
    }
}

static int print(struct cli *cli, const struct gap *gap)
{
    if (cli->is_json) {
        json_t *ranges = json_array();
        json_t *bare = json_array();

        print_ranges(gap, ranges);
        print_bare(gap, bare);
        cli_print(json_pack(
            "{s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:o}", "log", gap->succession.new_key.name, "old_log",
            gap->succession.old_key.name, "cause", succession_cause_name(gap->succession.cause),
            "last_size", (json_int_t)gap->succession.last.size, "leaves", (json_int_t)gap->leaves,
            "back", (json_int_t)gap->back, "missing", ranges, "without_attachments", bare));
        return EXIT_DONE;
    }
    printf("%s sucede a %s (%s): último sello %" PRIu64 " hojas, se sabe de %" PRIu64
           "\nVolvieron %" PRIu64 "; de las demás sólo se sabe el número:\n",
           gap->succession.new_key.name, gap->succession.old_key.name,
           succession_cause_name(gap->succession.cause), gap->succession.last.size, gap->leaves,
           gap->back);
    print_ranges(gap, NULL);
    print_bare(gap, NULL);
    return EXIT_DONE;
}

static int run(struct cli *cli, const char *folder, struct gap *gap, struct trust *trust,
               struct report *report)
{
    struct log_check check = {.path = folder, .trust = trust, .visitor = &gap->visitor};
    struct fault fault = {0};
    struct checkpoint head = {0};

    log_check_run(&check, &head, report);
    if (report->bad_total > 0 || gap->unread > 0) {
        report->what = "log";
        (void)report_print(report, cli->is_json, stdout);
        return EXIT_FAILED;
    }
    if (!gap->has_succession) {
        refuse(&fault, RC_FAILED_PRECONDITION, "gap.first_epoch", folder,
               "Esa bitácora no sucede a ninguna, o se exportó sin --records.");
        return cli_fault(cli, &fault);
    }
    return print(cli, gap);
}

int log_gap(struct cli *cli, int argc, char **argv)
{
    struct trust *trust = calloc(1, sizeof *trust);
    struct report *report = calloc(1, sizeof *report);
    struct gap *gap = calloc(1, sizeof *gap);
    OWN_PTR(arena) arena = arena_new(RECORD_ARENA);
    int status = EXIT_FAILED;

    if (argc != 2) {
        status = cli_usage(cli, "log", "gap espera la carpeta de una bitácora exportada.");
    } else if (trust != NULL && report != NULL && gap != NULL && arena != NULL) {
        status = cli_need_profile(cli);
        gap->visitor.leaf = on_leaf;
        gap->arena = arena;
        for (size_t i = 0; status == EXIT_DONE && i < cli->profile->log_count; i++) {
            trust->logs[trust->log_count++] = cli->profile->logs[i];
        }
        trust->now_s = (uint64_t)(clock_now_ms() / 1000);
        trust->tolerance_s = TRUST_TOLERANCE_S;
        status = status == EXIT_DONE ? run(cli, argv[1], gap, trust, report) : status;
        free(gap->is_back);
    }
    free(gap);
    free(report);
    free(trust);
    return status;
}
