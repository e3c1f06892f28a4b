#include "reference/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define LINE_SIZE 256
#define COUNT_MAX 10000

enum amount { AMOUNT_NUMBER, AMOUNT_PLANNED, AMOUNT_CHILD };

struct rule {
    char code[32]; /* "" when the rule is an exchange's */
    struct id exchange_id;
    enum amount amount;
    uint32_t count;
    int32_t first_day;
    int32_t last_day;
};

struct script {
    struct rule *rules;
    size_t count;
    int32_t first_day; /* unless a rule says otherwise */
    int32_t last_day;
};

static enum rc parse_amount(const char *text, struct rule *rule)
{
    char *end;
    unsigned long number;

    if (strcmp(text, "planned") == 0) {
        rule->amount = AMOUNT_PLANNED;
        return RC_OK;
    }
    if (strcmp(text, "child") == 0) {
        rule->amount = AMOUNT_CHILD;
        return RC_OK;
    }
    errno = 0;
    number = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || number > COUNT_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    rule->amount = AMOUNT_NUMBER;
    rule->count = (uint32_t)number;
    return RC_OK;
}

static enum rc parse_subject(const char *text, struct rule *rule)
{
    if (id_parse(text, &rule->exchange_id) == RC_OK) {
        return RC_OK;
    }
    if (strlen(text) >= sizeof rule->code) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(rule->code, text, strlen(text) + 1);
    return RC_OK;
}

static const char *parse_rule(char *line, struct rule *rule)
{
    char *rest = NULL;
    const char *subject = strtok_r(line, " \t\n", &rest);
    const char *amount = strtok_r(NULL, " \t\n", &rest);
    const char *first = strtok_r(NULL, " \t\n", &rest);
    const char *last = strtok_r(NULL, " \t\n", &rest);

    if (amount == NULL || parse_subject(subject, rule) != RC_OK) {
        return "se esperaba «código cuántos [primera fecha] [última fecha]»";
    }
    if (parse_amount(amount, rule) != RC_OK) {
        return "se esperaba un número hasta 10000, «planned» o «child»";
    }
    if ((first != NULL && clock_parse_date(bytes_text(first), &rule->first_day) != RC_OK) ||
        (last != NULL && clock_parse_date(bytes_text(last), &rule->last_day) != RC_OK)) {
        return "se esperaba una fecha como 2019-02-01";
    }
    if (rule->last_day < rule->first_day) {
        return "la última fecha es anterior a la primera";
    }
    return strtok_r(NULL, " \t\n", &rest) == NULL ? NULL : "sobra texto al final";
}

static enum rc add_rule(struct script *script, const struct rule *rule)
{
    struct rule *rules;

    if (script->count == SCRIPT_RULES_MAX) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rules = realloc(script->rules, (script->count + 1) * sizeof *rules);
    if (rules == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    script->rules = rules;
    script->rules[script->count++] = *rule;
    return RC_OK;
}

static enum rc read_rules(struct script *script, FILE *file, const char *path,
                          char error[SCRIPT_ERROR_SIZE])
{
    char line[LINE_SIZE];

    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        struct rule rule = {.first_day = script->first_day, .last_day = script->last_day};
        size_t blank = strspn(line, " \t\n");
        const char *why = NULL;

        if (line[blank] == '\0' || line[blank] == '#') {
            continue;
        }
        why = strchr(line, '\n') == NULL && strlen(line) == LINE_SIZE - 1 ? "línea demasiado larga"
                                                                          : parse_rule(line, &rule);
        if (why == NULL && add_rule(script, &rule) != RC_OK) {
            why = "son demasiadas reglas";
        }
        if (why != NULL) {
            snprintf(error, SCRIPT_ERROR_SIZE, "%s:%u: %s", path, number, why);
            return RC_INVALID_ARGUMENT;
        }
    }
    return RC_OK;
}

enum rc script_read(const char *path, struct script **script, char error[SCRIPT_ERROR_SIZE])
{
    OWN_PTR(script) made = calloc(1, sizeof *made);
    FILE *file = fopen(path, "re");
    enum rc rc;

    if (made == NULL || file == NULL ||
        clock_parse_date(bytes_text("2019-01-07"), &made->first_day) != RC_OK ||
        clock_parse_date(bytes_text("2019-12-12"), &made->last_day) != RC_OK) {
        snprintf(error, SCRIPT_ERROR_SIZE, "%s: no se puede leer: %s", path, strerror(errno));
        if (file != NULL) {
            fclose(file);
        }
        return RC_INVALID_ARGUMENT;
    }
    rc = read_rules(made, file, path, error);
    fclose(file);
    TRY(rc);
    *script = MOVE(made);
    return RC_OK;
}

void script_free(struct script *script)
{
    if (script != NULL) {
        free(script->rules);
        free(script);
    }
}

static const struct rule *find_rule(const struct script *script, const struct id *exchange_id,
                                    const char *code)
{
    const struct rule *any = NULL;
    const struct rule *by_code = NULL;

    for (size_t i = 0; i < script->count; i++) {
        const struct rule *rule = &script->rules[i];

        if (rule->code[0] == '\0' && id_equal(&rule->exchange_id, exchange_id)) {
            return rule;
        }
        if (strcmp(rule->code, code) == 0) {
            by_code = rule;
        } else if (strcmp(rule->code, "*") == 0) {
            any = rule;
        }
    }
    return by_code != NULL ? by_code : any;
}

void script_plan(const struct script *script, const struct header *request, const struct item *item,
                 struct script_plan *plan)
{
    const struct rule *rule = find_rule(script, &request->exchange_id, item->code);

    *plan = (struct script_plan){.first_day = script->first_day, .last_day = script->last_day};
    if (rule == NULL || !id_is_zero(&request->parent_exchange_id)) {
        return;
    }
    plan->is_child = rule->amount == AMOUNT_CHILD;
    plan->count = rule->amount == AMOUNT_NUMBER ? rule->count : item->cadence_count;
    plan->first_day = rule->first_day;
    plan->last_day = rule->last_day;
}

void script_occurred_at(const struct script_plan *plan, const struct id *exchange_id, uint32_t item,
                        uint32_t occurrence, char out[SCRIPT_TIME_SIZE])
{
    int64_t span = plan->last_day - plan->first_day;
    int64_t steps = plan->count > 1 ? (int64_t)plan->count - 1 : 1;
    int64_t offset = plan->count > 1 ? span * (occurrence - 1) / steps
                                     : (span > 0 ? exchange_id->bytes[15] % (span + 1) : 0);
    unsigned minute = (exchange_id->bytes[14] * 7u + item * 13u + occurrence * 29u) % 600u;
    char date[CLOCK_TEXT_SIZE];

    clock_format_date(plan->first_day + (int32_t)offset, date);
    snprintf(out, SCRIPT_TIME_SIZE, "%.10sT%02u:%02u:00-06:00", date, 8 + minute / 60, minute % 60);
}
