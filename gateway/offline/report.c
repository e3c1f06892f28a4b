#include "offline/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

/* Daylight saving ended on 2022-10-30 (IANA America/Mexico_City). */
#define OFFSET_S (6 * 3600)

static struct report_fact *new_fact(struct report *report, const char *key, const char *label)
{
    struct report_fact *fact;

    if (report->fact_count == REPORT_FACTS_MAX) {
        return NULL;
    }
    fact = &report->facts[report->fact_count++];
    snprintf(fact->key, sizeof fact->key, "%s", key);
    snprintf(fact->label, sizeof fact->label, "%s", label);
    return fact;
}

void report_text(struct report *report, const char *key, const char *label, const char *format, ...)
{
    struct report_fact *fact = new_fact(report, key, label);
    va_list args;

    if (fact != NULL) {
        va_start(args, format);
        vsnprintf(fact->text, sizeof fact->text, format, args);
        va_end(args);
    }
}

void report_number(struct report *report, const char *key, const char *label, uint64_t value)
{
    struct report_fact *fact = new_fact(report, key, label);

    if (fact != NULL) {
        fact->is_number = true;
        snprintf(fact->text, sizeof fact->text, "%" PRIu64, value);
    }
}

void report_flag(struct report *report, const char *key, bool value)
{
    struct report_fact *fact = new_fact(report, key, "");

    if (fact != NULL) {
        fact->is_number = true;
        snprintf(fact->text, sizeof fact->text, "%s", value ? "true" : "false");
    }
}

static void add_finding(struct report *report, bool is_warning, const char *check,
                        const char *where, const char *format, va_list args)
{
    struct report_finding *finding;

    *(is_warning ? &report->warning_total : &report->bad_total) += 1;
    if (report->finding_count == REPORT_FINDINGS_MAX) {
        return;
    }
    finding = &report->findings[report->finding_count++];
    finding->is_warning = is_warning;
    snprintf(finding->check, sizeof finding->check, "%s", check);
    snprintf(finding->where, sizeof finding->where, "%s", where);
    vsnprintf(finding->text, sizeof finding->text, format, args);
}

void report_bad(struct report *report, const char *check, const char *where, const char *format,
                ...)
{
    va_list args;

    va_start(args, format);
    add_finding(report, false, check, where, format, args);
    va_end(args);
}

void report_warn(struct report *report, const char *check, const char *where, const char *format,
                 ...)
{
    va_list args;

    va_start(args, format);
    add_finding(report, true, check, where, format, args);
    va_end(args);
}

bool report_has(const struct report *report, const char *check)
{
    for (size_t i = 0; i < report->finding_count; i++) {
        if (strcmp(report->findings[i].check, check) == 0) {
            return true;
        }
    }
    return false;
}

/* Texts may end within a character of several bytes where they were cut: that byte is dropped. */
static size_t whole_characters(const char *text)
{
    size_t size = strlen(text);
    size_t at = size;

    while (at > 0 && size - at < 3 && ((unsigned char)text[at - 1] & 0xc0) == 0x80) {
        at--;
    }
    if (at > 0) {
        unsigned char lead = (unsigned char)text[at - 1];
        size_t wanted = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

        if (size - (at - 1) < wanted) {
            return at - 1;
        }
    }
    return size;
}

static void print_json_text(const char *text, FILE *out)
{
    size_t size = whole_characters(text);

    fputc('"', out);
    for (size_t i = 0; i < size; i++) {
        unsigned char octet = (unsigned char)text[i];

        if (octet == '"' || octet == '\\') {
            fprintf(out, "\\%c", octet);
        } else if (octet < 0x20 || octet == 0x7f) {
            fprintf(out, "\\u%04x", octet);
        } else {
            fputc(octet, out);
        }
    }
    fputc('"', out);
}

static void print_json(const struct report *report, FILE *out)
{
    fputs("{\n  \"what\": ", out);
    print_json_text(report->what, out);
    fprintf(out, ",\n  \"verified\": %s", report->bad_total == 0 ? "true" : "false");
    for (size_t i = 0; i < report->fact_count; i++) {
        const struct report_fact *fact = &report->facts[i];

        fputs(",\n  ", out);
        print_json_text(fact->key, out);
        fputs(": ", out);
        if (fact->is_number) {
            fputs(fact->text, out);
        } else {
            print_json_text(fact->text, out);
        }
    }
    fputs(",\n  \"findings\": [", out);
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct report_finding *finding = &report->findings[i];

        fprintf(out, "%s\n    {\"warning\": %s, \"check\": ", i > 0 ? "," : "",
                finding->is_warning ? "true" : "false");
        print_json_text(finding->check, out);
        fputs(", \"where\": ", out);
        print_json_text(finding->where, out);
        fputs(", \"text\": ", out);
        print_json_text(finding->text, out);
        fputs("}", out);
    }
    fprintf(out, "%s],\n  \"findings_total\": %zu\n}\n", report->finding_count > 0 ? "\n  " : "",
            report->bad_total + report->warning_total);
}

static void print_text(const struct report *report, FILE *out)
{
    for (size_t i = 0; i < report->fact_count; i++) {
        const struct report_fact *fact = &report->facts[i];

        if (fact->label[0] != '\0') {
            fprintf(out, "%s: %.*s\n", fact->label, (int)whole_characters(fact->text), fact->text);
        }
    }
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct report_finding *finding = &report->findings[i];

        fprintf(out, "%s %.*s\n    dónde: %s\n    comprobación: %s\n",
                finding->is_warning ? "⚠" : "✖", (int)whole_characters(finding->text),
                finding->text, finding->where[0] != '\0' ? finding->where : "-", finding->check);
    }
    if (report->bad_total + report->warning_total > report->finding_count) {
        fprintf(out, "… y %zu hallazgos más\n",
                report->bad_total + report->warning_total - report->finding_count);
    }
    fputs(report->bad_total == 0 ? "✔ verifica\n" : "✖ NO verifica\n", out);
}

int report_print(const struct report *report, bool is_json, FILE *out)
{
    if (is_json) {
        print_json(report, out);
    } else {
        print_text(report, out);
    }
    return report->bad_total == 0 ? 0 : 1;
}

void report_print_error(const char *reason, const char *path, const char *remedy, FILE *out)
{
    fputs("{\n  \"error\": {\n    \"code\": \"INVALID_ARGUMENT\",\n    \"reason\": ", out);
    print_json_text(reason, out);
    fputs(",\n    \"path\": ", out);
    print_json_text(path, out);
    fputs(",\n    \"remedy\": ", out);
    print_json_text(remedy, out);
    fputs("\n  }\n}\n", out);
}

void report_time(uint64_t time_s, char out[REPORT_TIME_SIZE])
{
    time_t local_s = (time_t)time_s - OFFSET_S;
    struct tm local;

    if (time_s > UINT64_C(253402300799) || gmtime_r(&local_s, &local) == NULL ||
        strftime(out, REPORT_TIME_SIZE, "%d/%m/%Y %H:%M:%S", &local) == 0) {
        snprintf(out, REPORT_TIME_SIZE, "%" PRIu64 " s", time_s);
    }
}
