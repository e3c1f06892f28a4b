/*
 * report - what a verification found, for people and for programs.
 *
 * A report gathers facts ("bitácora: gw.ssc/audit/2026") and findings (what is wrong, and where),
 * then prints all of it: as Mexican Spanish text, or as one JSON object
 *
 *     {"what": ..., "verified": true|false, <facts>, "findings": [{"check", "where", "text"}, ...],
 *      "findings_total": n}
 *
 * A warning is a finding that does not make the report fail. Bounded: facts and findings beyond the
 * maximum are counted, not kept. One owner at a time.
 */
#ifndef OFFLINE_REPORT_H
#define OFFLINE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REPORT_FACTS_MAX 48
#define REPORT_FINDINGS_MAX 32
#define REPORT_TEXT_SIZE 320

struct report_fact {
    char key[40];
    char label[64]; /* "": for programs only */
    char text[REPORT_TEXT_SIZE];
    bool is_number; /* JSON: without quotes */
};

struct report_finding {
    bool is_warning;
    char check[40];
    char where[128];
    char text[REPORT_TEXT_SIZE];
};

/* About 45 KiB: not for the stack. {0} and `what` is an empty report. */
struct report {
    const char *what; /* "log", "receipt", "consistency", "exchange" */
    size_t fact_count;
    size_t finding_count;
    size_t bad_total;
    size_t warning_total;
    struct report_fact facts[REPORT_FACTS_MAX];
    struct report_finding findings[REPORT_FINDINGS_MAX];
};

__attribute__((format(printf, 4, 5))) void report_text(struct report *report, const char *key,
                                                       const char *label, const char *format, ...);
/* At most 2^63 - 1: what JSON readers hold. */
void report_number(struct report *report, const char *key, const char *label, uint64_t value);
void report_flag(struct report *report, const char *key, bool value);

/* `check` is a stable code ("tile.hash"); `where` names file and index. */
__attribute__((format(printf, 4, 5))) void report_bad(struct report *report, const char *check,
                                                      const char *where, const char *format, ...);
__attribute__((format(printf, 4, 5))) void report_warn(struct report *report, const char *check,
                                                       const char *where, const char *format, ...);

/* Was anything of this code found? */
bool report_has(const struct report *report, const char *check);

/* Returns 0 when nothing is bad, else 1: the exit status. */
int report_print(const struct report *report, bool is_json, FILE *out);

/* {"error": {"code", "reason", "path", "remedy"}}: what was not even tried. */
void report_print_error(const char *reason, const char *path, const char *remedy, FILE *out);

/* "23/11/2026 14:05:09" in Mexico City (UTC-06:00). */
#define REPORT_TIME_SIZE 32
void report_time(uint64_t time_s, char out[REPORT_TIME_SIZE]);

#endif
