/*
 * script - what the reference adapter reports: a text of rules, one a line.
 *
 *     # catalogue code, or "*", or an exchange's id;  how many occurrences;  first and last date
 *     PRO-COD-VIG 22
 *     PRO-PSI-SEG planned 2019-02-01 2019-11-30
 *     * planned
 *     0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11 child
 *
 * planned: as many as the item's own cadence.count says. child: accepted here, done by a child
 * exchange; put in force and reported (as planned) when the child is. An exchange's rule goes
 * before its items' codes, these before "*"; without any rule an item has no reports. Requests that
 * have a parent are only put in force: their parent reports.
 */
#ifndef REFERENCE_SCRIPT_H
#define REFERENCE_SCRIPT_H

#include <stdbool.h>

#include "base/own.h"
#include "model/message.h"

#define SCRIPT_ERROR_SIZE 512
#define SCRIPT_RULES_MAX 4096

struct script;

/* RC_INVALID_ARGUMENT with "file:line: what is wrong" in `error`. */
MUST_CHECK enum rc script_read(const char *path, struct script **script,
                               char error[SCRIPT_ERROR_SIZE]);
void script_free(struct script *script);
OWN_PTR_DEFINE(script)

struct script_plan {
    bool is_child;
    uint32_t count;
    int32_t first_day;
    int32_t last_day;
};

void script_plan(const struct script *script, const struct header *request, const struct item *item,
                 struct script_plan *plan);

#define SCRIPT_TIME_SIZE 32
/*
 * When the nth (from 1) of these occurrences happened: days spread evenly from first to last, an
 * hour of the working day, offset -06:00. The same for the same exchange, item and occurrence.
 */
void script_occurred_at(const struct script_plan *plan, const struct id *exchange_id, uint32_t item,
                        uint32_t occurrence, char out[SCRIPT_TIME_SIZE]);

#endif
