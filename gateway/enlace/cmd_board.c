/*
 * board: what is due, the most urgent first; live on a terminal, once elsewhere.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/watch.h"
#include "enlace/command.h"
#include "client/hang_text.h"

/* Rows on one board: more are counted, not shown. */
#define ROWS_MAX 4096
#define PAGES_MAX 4096
#define BOARD_ARENA_MAX ((size_t)64 << 20)
#define SCREEN_ROWS 40

struct board {
    struct cli *cli;
    struct arena *arena; /* of one round */
    const char *member;
    bool is_colour;
    bool is_live;
    struct exchange_summary *rows;
    size_t count;
    size_t omitted;
    struct watch_page head; /* of the first page */
};

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
    (void)number;
    is_stopping = 1;
}

/* ---- gathering ---- */

/* Late ones first, by how late; urgent before ordinary; what nothing is due of, last. */
static int compare(const void *left, const void *right)
{
    const struct exchange_summary *a = left, *b = right;
    int64_t due_a = a->due_at_ms != 0 ? a->due_at_ms : INT64_MAX;
    int64_t due_b = b->due_at_ms != 0 ? b->due_at_ms : INT64_MAX;

    if (a->is_overdue != b->is_overdue) {
        return a->is_overdue ? -1 : 1;
    }
    if (a->urgency != b->urgency) {
        return a->urgency == URGENCY_URGENT ? -1 : 1;
    }
    if (due_a != due_b) {
        return due_a < due_b ? -1 : 1;
    }
    return memcmp(a->exchange_id.bytes, b->exchange_id.bytes, ID_SIZE);
}

static void take_page(struct board *board, const struct watch_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        if (board->count < ROWS_MAX) {
            board->rows[board->count++] = page->exchanges[i];
        } else {
            board->omitted++;
        }
    }
}

static enum rc gather(struct board *board, struct fault *fault)
{
    struct watch_page page = {0};

    arena_reset(board->arena);
    board->count = board->omitted = 0;
    board->rows = arena_alloc(board->arena, ROWS_MAX * sizeof *board->rows);
    if (board->rows == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    for (size_t i = 0; i < PAGES_MAX; i++) {
        TRY(watch_open(board->cli->session, board->member, page.next, board->arena, &page, fault));
        if (i == 0) {
            board->head = page;
        }
        take_page(board, &page);
        if (page.next.size == 0) {
            break;
        }
    }
    qsort(board->rows, board->count, sizeof *board->rows, compare);
    return RC_OK;
}

/* ---- showing ---- */

static json_t *as_json(const struct board *board)
{
    json_t *rows = json_array();
    char id[ID_TEXT_SIZE];

    id_format(&board->head.oldest_exchange_id, id);
    for (size_t i = 0; i < board->count; i++) {
        json_array_append_new(rows, summary_json(&board->rows[i]));
    }
    return json_pack("{s:I,s:i,s:I,s:s,s:i,s:o}", "now_ms", (json_int_t)board->head.now_ms,
                     "undelivered", (int)board->head.undelivered, "oldest_undelivered_at_ms",
                     (json_int_t)board->head.oldest_ms, "oldest_undelivered_exchange_id",
                     board->head.oldest_ms != 0 ? id : "", "omitted", (int)board->omitted,
                     "exchanges", rows);
}

static const char *colour(const struct board *board, const char *sequence)
{
    return board->is_colour ? sequence : "";
}

static void print_head(const struct board *board)
{
    char span[SPAN_TEXT_SIZE];
    char when[CLI_TIME_SIZE];
    char id[ID_TEXT_SIZE];

    cli_time(board->head.now_ms, when);
    if (board->head.oldest_ms != 0) {
        hang_span(board->head.now_ms - board->head.oldest_ms, span);
        id_format(&board->head.oldest_exchange_id, id);
        printf("%sSin entregar: %u; el más antiguo espera desde hace %s (%s)%s\n",
               colour(board, "\033[1;31m"), board->head.undelivered, span, id,
               colour(board, "\033[0m"));
    } else {
        puts("Sin entregar: nada");
    }
    printf("Abiertos: %zu   %s\n", board->count + board->omitted, when);
}

static void print_row(const struct board *board, const struct exchange_summary *row)
{
    int64_t left_ms = row->due_at_ms - board->head.now_ms;
    char id[ID_TEXT_SIZE];
    char span[SPAN_TEXT_SIZE] = "";
    char text[HANG_TEXT_SIZE];
    const char *paint = row->is_overdue ? "\033[1;31m" : "";

    id_format(&row->exchange_id, id);
    if (row->due_at_ms != 0) {
        hang_span(left_ms < 0 ? -left_ms : left_ms, span);
    }
    hang_text(row, text);
    printf("%s%-7s %-11s%s%s%s  %s  %s%s → %s%s\n", colour(board, paint), row->clock,
           row->due_at_ms == 0 ? "sin plazo"
           : row->is_overdue   ? "VENCIDO por"
                               : "quedan",
           row->due_at_ms != 0 ? " " : "", span, row->urgency == URGENCY_URGENT ? "  URGENTE" : "",
           id, row->code[0] != '\0' ? row->code : "-", "", row->to, colour(board, "\033[0m"));
    printf("        %s; responsable %s. %s.\n", state_text(row->state), row->responsible, text);
}

static void print_text(const struct board *board)
{
    size_t most = board->is_live && board->count > SCREEN_ROWS ? SCREEN_ROWS : board->count;

    print_head(board);
    for (size_t i = 0; i < most; i++) {
        print_row(board, &board->rows[i]);
    }
    if (board->count + board->omitted > most) {
        printf("  … y %zu más (--once los muestra)\n", board->count + board->omitted - most);
    }
    fflush(stdout);
}

static int round_once(struct board *board)
{
    struct fault fault = {0};

    if (gather(board, &fault) != RC_OK) {
        return cli_fault(board->cli, &fault);
    }
    if (board->cli->is_json) {
        cli_print(as_json(board));
    } else {
        print_text(board);
    }
    return EXIT_DONE;
}

static int live(struct board *board, int every_s)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (!is_stopping) {
        fputs("\033[H\033[2J", stdout);
        (void)round_once(board); /* a node that is away is said, and asked again */
        for (int i = 0; i < every_s * 10 && !is_stopping; i++) {
            clock_sleep_ms(100);
        }
    }
    return EXIT_DONE;
}

int cmd_board(struct cli *cli, int argc, char **argv)
{
    static const struct option names[] = {
        {"once", no_argument, NULL, '1'},
        {"member", required_argument, NULL, 'm'},
        {"every", required_argument, NULL, 'e'},
        {NULL, 0, NULL, 0},
    };
    OWN_PTR(arena) arena = arena_new(BOARD_ARENA_MAX);
    struct board board = {.cli = cli, .arena = arena, .member = "", .is_live = !cli->is_json};
    int every_s = 10;
    int choice;
    int status;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (choice == '1') {
            board.is_live = false;
        } else if (choice == 'm') {
            board.member = optarg;
        } else if (choice == 'e' && atoi(optarg) >= 2 && atoi(optarg) <= 3600) {
            every_s = atoi(optarg);
        } else {
            return cli_usage(cli, "board", "No se entiende una opción (--every va de 2 a 3600).");
        }
    }
    if (optind != argc) {
        return cli_usage(cli, "board", "Sólo lleva opciones.");
    }
    status = arena != NULL ? cli_need_session(cli) : EXIT_FAILED;
    if (status != EXIT_DONE) {
        return status;
    }
    board.is_live = board.is_live && isatty(STDOUT_FILENO);
    board.is_colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    return board.is_live ? live(&board, every_s) : round_once(&board);
}
