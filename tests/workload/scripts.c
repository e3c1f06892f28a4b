#include "workload/scripts.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/own.h"
#include "workload/folder.h"

static bool is_first_to(const struct plan *plan, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(plan->exchanges[i].to, plan->exchanges[n].to) == 0) {
            return false;
        }
    }
    return true;
}

static bool has_child(const struct plan *plan, unsigned n)
{
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        if (plan->exchanges[i].parent == n) {
            return true;
        }
    }
    return false;
}

/* What serves another exchange is reported there, once. */
static const char *amount_of(const struct plan *plan, unsigned n)
{
    if (plan->exchanges[n].parent != PLAN_NO_PARENT) {
        return "0";
    }
    return has_child(plan, n) ? "child" : "planned";
}

/* One rule for each exchange of this executor: as planned, between its request and December. */
void scripts_print(const struct plan *plan, const char *executor, struct buffer *out)
{
    char day[CLOCK_TEXT_SIZE];

    buffer_print(out, "# Guion de %s para la carga de 2019: intercambio, qué, desde, hasta\n",
                 executor);
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        const struct plan_exchange *exchange = &plan->exchanges[i];
        char id[ID_TEXT_SIZE];

        if (strcmp(exchange->to, executor) == 0) {
            id_format(&exchange->id, id);
            clock_format_date(exchange->day, day);
            buffer_print(out, "%s %s %.10s %s\n", id, amount_of(plan, i), day, PLAN_LAST_DAY);
        }
    }
    /* What a person tries by hand afterwards happens yesterday, and is no part of 2019. */
    clock_format_date(clock_local_day(clock_now_ms()) - 1, day);
    buffer_print(out, "* planned %.10s %.10s\n", day, day);
}

static enum rc write_one(const struct plan *plan, const char *folder, const char *executor)
{
    OWN(buffer) text = {0};
    char path[512];

    scripts_print(plan, executor, &text);
    snprintf(path, sizeof path, "%s/%s", folder, strchr(executor, '/') + 1);
    return folder_write(path, buffer_bytes(&text));
}

enum rc scripts_write(const struct plan *plan, const char *folder)
{
    (void)mkdir(folder, 0700);
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        if (is_first_to(plan, i)) {
            TRY(write_one(plan, folder, plan->exchanges[i].to));
        }
    }
    return RC_OK;
}
