#include "offline/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offline/log_folder.h"
#include "offline/report.h"
#include "tlog/text.h"

enum rc trust_add_log(struct trust *trust, struct bytes vkey)
{
    struct vkey *log = &trust->logs[trust->log_count];

    if (trust->log_count == TRUST_LOGS_MAX) {
        return RC_OUT_OF_RANGE;
    }
    if (vkey_parse(vkey, log) != RC_OK || log->type != VKEY_ED25519) {
        return RC_INVALID_ARGUMENT;
    }
    trust->log_count++;
    return RC_OK;
}

enum rc trust_set_policy(struct trust *trust, struct bytes text, struct policy_flaw *flaw)
{
    TRY(policy_parse(text, &trust->policy, flaw));
    if (trust->log_count + trust->policy.log_count > TRUST_LOGS_MAX) {
        return RC_OUT_OF_RANGE;
    }
    for (size_t i = 0; i < trust->policy.log_count; i++) {
        trust->logs[trust->log_count++] = trust->policy.logs[i].vkey;
    }
    trust->has_policy = true;
    return RC_OK;
}

static enum rc believe(struct trust *trust, const struct vkey *key)
{
    for (size_t i = 0; i < trust->log_count; i++) {
        if (strcmp(trust->logs[i].name, key->name) == 0 &&
            memcmp(trust->logs[i].public_key, key->public_key, sizeof key->public_key) == 0) {
            return RC_OK;
        }
    }
    if (trust->log_count == TRUST_LOGS_MAX) {
        return RC_OUT_OF_RANGE;
    }
    trust->logs[trust->log_count++] = *key;
    return RC_OK;
}

enum rc trust_set_succession(struct trust *trust, struct bytes note, struct bytes list)
{
    struct authorities authorities;
    unsigned line;

    TRY(authorities_parse(list, &authorities, &line));
    TRY(succession_open(note, &authorities, &trust->succession, NULL));
    TRY(believe(trust, &trust->succession.old_key));
    TRY(believe(trust, &trust->succession.new_key));
    buffer_clear(&trust->succession_note);
    buffer_put_bytes(&trust->succession_note, note);
    trust->has_succession = !trust->succession_note.is_failed;
    return trust->has_succession ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

void trust_release(struct trust *trust)
{
    buffer_release(&trust->succession_note);
}

/* What the old key signed after its last good size. */
static bool is_revoked(const struct trust *trust, const struct checkpoint *head)
{
    return trust->has_succession && strcmp(head->origin, trust->succession.old_key.name) == 0 &&
           !succession_covers(&trust->succession, head);
}

bool trust_knows(const struct trust *trust, const char *origin)
{
    for (size_t i = 0; i < trust->log_count; i++) {
        if (strcmp(trust->logs[i].name, origin) == 0) {
            return true;
        }
    }
    return false;
}

bool trust_open(const struct trust *trust, struct bytes bytes, const char *where, struct note *note,
                struct checkpoint *head, struct report *report)
{
    switch (log_folder_open_note(bytes, trust->logs, trust->log_count, note, head)) {
    case RC_OK:
        if (is_revoked(trust, head)) {
            report_bad(report, "key.revoked", where,
                       "Esa llave ya no vale para este sello: su último sello bueno cubre %llu "
                       "hojas, y éste %llu. Lo firmó quien la robó.",
                       (unsigned long long)trust->succession.last.size,
                       (unsigned long long)head->size);
        }
        return true;
    case RC_NOT_FOUND:
        report_bad(report, "checkpoint.unknown_log", where,
                   "El sello no lleva firma de ninguna bitácora cuya llave usted tiene.");
        return false;
    case RC_UNAUTHENTICATED:
        report_bad(report, "checkpoint.signature", where,
                   "La firma del sello no es de la bitácora que dice.");
        return false;
    default:
        report_bad(report, "checkpoint.malformed", where,
                   "El sello no tiene la forma de C2SP tlog-checkpoint.");
        return false;
    }
}

static struct policy_rules rules_of(const struct trust *trust)
{
    return (struct policy_rules){.own = trust->own,
                                 .own_count = trust->own_count,
                                 .now_s = trust->now_s,
                                 .age_max_s = trust->fresh_s,
                                 .ahead_max_s = trust->tolerance_s};
}

static void say_grade(const struct policy_verdict *verdict, const char *prefix,
                      struct report *report)
{
    char key[40];

    snprintf(key, sizeof key, "%sgrade", prefix);
    if (verdict->counted == 0) {
        report_text(report, key, "Grado", "firmado por la bitácora, sin testigos");
    } else {
        report_text(report, key, "Grado", "atestiguado por %zu de %zu", verdict->counted,
                    verdict->foreign);
    }
    snprintf(key, sizeof key, "%switnesses", prefix);
    report_number(report, key, "", verdict->counted);
    snprintf(key, sizeof key, "%switnesses_of", prefix);
    report_number(report, key, "", verdict->foreign);
    snprintf(key, sizeof key, "%squorum", prefix);
    report_flag(report, key, verdict->is_met && verdict->is_required);
}

/* Why a witness that signed was not counted: the reader may want to act on it. */
static void say_uncounted(const struct trust *trust, const struct policy_verdict *verdict,
                          const char *where, struct report *report)
{
    for (size_t i = 0; i < trust->policy.witness_count; i++) {
        const char *name = trust->policy.witnesses[i].vkey.name;
        char when[REPORT_TIME_SIZE];

        report_time(verdict->times_s[i], when);
        if (verdict->states[i] == POLICY_BAD) {
            report_bad(report, "witness.signature", where,
                       "La firma del testigo %s no es de este sello.", name);
        } else if (verdict->states[i] == POLICY_STALE) {
            report_warn(report, "witness.stale", where,
                        "El testigo %s firmó hace demasiado (%s): no cuenta.", name, when);
        } else if (verdict->states[i] == POLICY_AHEAD) {
            report_warn(report, "witness.ahead", where,
                        "El reloj del testigo %s va adelantado (%s): no cuenta.", name, when);
        } else if (verdict->states[i] == POLICY_OWN && verdict->times_s[i] != 0) {
            report_warn(report, "witness.own", where,
                        "El testigo %s es de la misma institución: no cuenta.", name);
        }
    }
}

void trust_grade(const struct trust *trust, const struct note *note, const char *prefix,
                 const char *where, struct policy_verdict *verdict, struct report *report)
{
    struct policy_rules rules = rules_of(trust);
    struct policy_verdict own;
    struct policy_verdict *found = verdict != NULL ? verdict : &own;

    *found = (struct policy_verdict){0};
    if (trust->has_policy) {
        policy_judge(&trust->policy, note, &rules, found);
    }
    say_grade(found, prefix, report);
    if (!trust->has_policy) {
        return;
    }
    say_uncounted(trust, found, where, report);
    if (!found->is_required) {
        report_warn(report, "policy.no_quorum", where,
                    "La política dice «quorum none»: no exige testigos.");
    } else if (!found->is_met && trust->is_unwitnessed_fine) {
        report_warn(report, "policy.quorum", where,
                    "No alcanza el quórum de la política; se acepta por --unwitnessed.");
    } else if (!found->is_met) {
        report_bad(report, "policy.quorum", where,
                   "No alcanza el quórum de la política: lo atestiguan %zu de %zu.", found->counted,
                   found->foreign);
    }
}

void trust_judge_policy(const struct trust *trust, const char *origin, struct report *report)
{
    if (trust->has_policy && !policy_is_safe(&trust->policy, origin)) {
        report_warn(report, "policy.weak", origin,
                    "El quórum de la política es menor que 1 + ⌊2n/3⌋ testigos ajenos: unos pocos "
                    "que mientan podrían sostener dos vistas.");
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

bool trust_time(const struct trust *trust, const struct note *note, uint64_t *time_s)
{
    struct policy_rules rules = rules_of(trust);
    struct policy_verdict verdict;
    uint64_t times[POLICY_WITNESSES_MAX];
    size_t count = 0;

    if (!trust->has_policy) {
        return false;
    }
    rules.now_s = 0;
    policy_judge(&trust->policy, note, &rules, &verdict);
    for (size_t i = 0; i < trust->policy.witness_count; i++) {
        if (verdict.states[i] == POLICY_COUNTED) {
            times[count++] = verdict.times_s[i];
        }
    }
    if (count == 0) {
        return false;
    }
    qsort(times, count, sizeof times[0], by_value);
    *time_s = times[count / 2];
    return true;
}
