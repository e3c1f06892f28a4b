/*
 * cmd_status - how the node is doing, for those who look after it: what needs doing first, then the
 * figures.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/checkup.h"
#include "client/session.h"
#include "enlace/command.h"

static const char *word_of(const char *urgency)
{
    return strcmp(urgency, "urgent") == 0 ? "urgente" : "ordinario";
}

static int64_t value_of(const struct condition *condition, enum metric metric)
{
    const struct sample *sample = condition_find(condition, metric, NULL);

    return sample != NULL ? sample->value : 0;
}

/* ---- for programs ---- */

static json_t *samples_json(const struct condition *condition)
{
    json_t *array = json_array();

    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];
        const struct metric_row *row = metric_row(sample->metric);
        json_t *one = json_pack("{s:s,s:I}", "name", row->name, "value", (json_int_t)sample->value);

        for (size_t j = 0; j < SAMPLE_LABELS_MAX && row->labels[j] != NULL; j++) {
            json_object_set_new(one, row->labels[j], json_string(sample->labels[j]));
        }
        json_array_append_new(array, one);
    }
    return array;
}

static json_t *checkup_json(const struct checkup *checkup)
{
    json_t *array = json_array();

    for (size_t i = 0; i < checkup->count; i++) {
        const struct ailment *item = &checkup->items[i];

        json_array_append_new(array, json_pack("{s:s,s:s,s:s}", "grade",
                                               item->grade == AILMENT_NOW ? "now" : "soon", "what",
                                               item->what, "remedy", item->remedy));
    }
    return array;
}

/* ---- for people ---- */

static void print_checkup(const struct checkup *checkup)
{
    for (size_t i = 0; i < checkup->count; i++) {
        const struct ailment *item = &checkup->items[i];

        printf("%s %s\n    %s\n", item->grade == AILMENT_NOW ? "✖" : "!", item->what, item->remedy);
    }
    if (checkup->count == 0) {
        puts("✔ Nada requiere atención.");
    }
}

static void print_log(const struct condition *condition, int64_t now_s)
{
    int64_t leaves = value_of(condition, METRIC_LOG_LEAVES);
    int64_t behind = leaves - value_of(condition, METRIC_INDEX_LEAVES);
    char span[SPAN_SIZE];

    span_text(now_s - value_of(condition, METRIC_LOG_LAST), span);
    printf("Bitácora    %" PRId64 " hojas, la última hace %s; ", leaves, span);
    if (behind > 0) {
        printf("al índice le faltan %" PRId64 "\n", behind);
    } else {
        puts("índice al día");
    }
}

static void print_witnesses(const struct condition *condition)
{
    char span[SPAN_SIZE];

    if (condition_find(condition, METRIC_WITNESSES, NULL) == NULL) {
        puts("Testigos    este nodo no junta firmas (sin witness_policy)");
        return;
    }
    span_text(value_of(condition, METRIC_WITNESS_LAG), span);
    printf("Testigos    %" PRId64 " de %" PRId64 " en el último quórum, de %" PRId64
           " hojas; atraso %s\n",
           value_of(condition, METRIC_WITNESSES_COUNTED), value_of(condition, METRIC_WITNESSES),
           value_of(condition, METRIC_WITNESSED_LEAVES), span);
}

static void print_messages(const struct condition *condition)
{
    static const struct {
        const char *way;
        const char *title;
    } ways[] = {{"sent", "Enviados"}, {"received", "Recibidos"}};

    for (size_t i = 0; i < 2; i++) {
        int64_t urgent = 0;
        int64_t all = 0;

        for (size_t j = 0; j < condition->count; j++) {
            const struct sample *sample = &condition->items[j];

            if (sample->metric == METRIC_MESSAGES && strcmp(sample->labels[0], ways[i].way) == 0) {
                all += sample->value;
                urgent += strcmp(sample->labels[1], "urgent") == 0 ? sample->value : 0;
            }
        }
        printf("%-11s %" PRId64 " desde que arrancó, %" PRId64 " de ellos urgentes\n",
               ways[i].title, all, urgent);
    }
    printf("Rechazos    %" PRId64 " por el directorio o las reglas\n",
           value_of(condition, METRIC_REFUSALS));
}

static int64_t waiting_in(const struct condition *condition, const struct sample *oldest)
{
    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];

        if (sample->metric == METRIC_QUEUE && strcmp(sample->labels[0], oldest->labels[0]) == 0 &&
            strcmp(sample->labels[1], oldest->labels[1]) == 0) {
            return sample->value;
        }
    }
    return 0;
}

/* Titles the first line of a list, and only that. */
static const char *title_once(const char **title)
{
    const char *text = *title;

    *title = "";
    return text;
}

static void print_queues(const struct condition *condition)
{
    const char *title = "Colas";
    char span[SPAN_SIZE];

    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];

        if (sample->metric == METRIC_QUEUE_OLDEST) {
            span_text(sample->value, span);
            printf("%-11s %s, %s: %" PRId64 "; lo más antiguo hace %s\n", title_once(&title),
                   sample->labels[0], word_of(sample->labels[1]), waiting_in(condition, sample),
                   span);
        }
    }
    if (title[0] != '\0') {
        puts("Colas       vacías");
    }
}

static bool is_worth_a_line(const struct sample *sample)
{
    return sample->metric == METRIC_ATTACHED ||
           ((sample->metric == METRIC_LINK_UP || sample->metric == METRIC_LINK_FAILURES) &&
            sample->value > 0);
}

/* A link that owes nothing rests, and is not listed. */
static void print_connections(const struct condition *condition)
{
    const char *titles[] = {"Enlaces", "Sistemas"};
    const char *rests[] = {"en reposo", "ninguno conectado"};

    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];
        bool is_system = sample->metric == METRIC_ATTACHED;

        if (!is_worth_a_line(sample)) {
            continue;
        }
        printf("%-11s %s, %s: ", title_once(&titles[is_system]), sample->labels[0],
               word_of(sample->labels[1]));
        if (sample->metric == METRIC_LINK_FAILURES) {
            printf("%" PRId64 " intentos sin éxito\n", sample->value);
        } else {
            puts(is_system ? "conectado" : "abierto");
        }
    }
    for (size_t i = 0; i < 2; i++) {
        if (titles[i][0] != '\0') {
            printf("%-11s %s\n", titles[i], rests[i]);
        }
    }
}

static void print_ends(const struct condition *condition)
{
    char at[CLI_TIME_SIZE];

    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];

        if (sample->metric == METRIC_CERTIFICATE_ENDS) {
            cli_time(sample->value * 1000, at);
            printf("Certificado %s, hasta %s\n", sample->labels[0], at);
        } else if (sample->metric == METRIC_DISK_FREE) {
            printf("Disco       %s: %" PRId64 " MiB libres\n", sample->labels[0],
                   sample->value >> 20);
        }
    }
}

static void print_all(const struct condition *condition, const struct checkup *checkup,
                      int64_t now_s)
{
    const struct sample *node = condition_find(condition, METRIC_NODE, NULL);
    char span[SPAN_SIZE];

    span_text(now_s - value_of(condition, METRIC_STARTED), span);
    printf("%s, bitácora %s, en marcha hace %s\n\n", node != NULL ? node->labels[0] : "?",
           node != NULL ? node->labels[1] : "?", span);
    print_checkup(checkup);
    putchar('\n');
    print_log(condition, now_s);
    print_witnesses(condition);
    print_messages(condition);
    print_queues(condition);
    print_connections(condition);
    print_ends(condition);
    printf("Memoria     %" PRId64 " MiB\n", value_of(condition, METRIC_MEMORY) >> 20);
}

static bool is_ailing(const struct checkup *checkup)
{
    return checkup->count > 0 && checkup->items[0].grade == AILMENT_NOW;
}

int cmd_status(struct cli *cli, int argc, char **argv)
{
    int64_t now_s = clock_now_ms() / 1000;
    struct condition condition;
    struct checkup *checkup;
    struct fault fault = {0};
    int status;

    if (argc != 1) {
        return cli_usage(cli, "status", "No se entiende «%s».", argv[1]);
    }
    status = cli_need_session(cli);
    if (status != EXIT_DONE) {
        return status;
    }
    checkup = arena_alloc(cli->arena, sizeof *checkup);
    if (checkup == NULL) {
        return EXIT_FAILED;
    }
    if (ask_condition(cli->session, cli->arena, &condition, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    checkup_make(&condition, now_s, checkup);
    if (cli->is_json) {
        cli_print(json_pack("{s:o,s:o}", "attention", checkup_json(checkup), "figures",
                            samples_json(&condition)));
    } else {
        print_all(&condition, checkup, now_s);
    }
    return is_ailing(checkup) ? EXIT_FAILED : EXIT_DONE;
}
