#include "workload/plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define MPI "cdmx/mpi-cdmx"
#define SEGOB "mx/segob"

/*
 * The Consejo sat 10 times [report]; the dates are our choice, the last Thursday of each month. The
 * 22 cases fall on them two by two, three on each of the last two.
 */
static const char *const session_dates[PLAN_SESSIONS] = {
    "2019-01-31", "2019-02-28", "2019-03-28", "2019-04-25", "2019-05-30",
    "2019-06-27", "2019-07-25", "2019-08-29", "2019-09-26", "2019-10-31",
};

/* Who gets a share of the requests, `count` of them, each for one more case. */
struct share {
    const char *to;
    const char *code;
    unsigned count;
};

/*
 * Requests with one item per incorporated case: executor, code, cases, occurrences each. The
 * totals (485 actions of ssc with the urgent one, 22, 88, 264, 10) are W2019's.
 */
struct series {
    const char *to;
    const char *code;
    unsigned cases;
    unsigned occurrences;
};

static const struct series series[] = {
    {"cdmx/ssc", "PRO-COD-VIG", 22, 22},  {"cdmx/c5", "PRO-NUM-EME", 22, 1},
    {"cdmx/pgj", "PRO-JUR-CAR", 22, 4},   {"cdmx/sedesa", "PRO-PSI-SEG", 22, 12},
    {"cdmx/ceavi", "PRO-PSI-CRI", 10, 1},
};

/* 62 case-months of the three supports: eight months for the cases of the first three sessions,
 * seven for the two of the fourth, as many as were left until December. */
#define SOCIAL_CASES 8
static const unsigned social_months[SOCIAL_CASES] = {8, 8, 8, 8, 8, 8, 7, 7};

/* Of 40 visits: two for the first 18 cases, one for the other 4. */
#define TWO_VISITS 18

/* The one urgent measure is of this case, by the extraordinary procedure. */
#define URGENT_CASE 4

/* Our choice; the report gives 50 only. */
static const struct share referrals[] = {
    {"cdmx/sedesa", "ATN-GEN", 12},      {"cdmx/styfe", "ATN-GEN", 8},
    {"cdmx/dif", "ATN-GEN", 6},          {"cdmx/sibiso", "ATN-GEN", 4},
    {"cdmx/cdhcm", "ATN-GEN", 4},        {"cdmx/alc-mh", "ATN-GEN", 4},
    {"cdmx/casa-refugio", "ATN-GEN", 3}, {"cdmx/ceavi", "ATN-GEN", 3},
    {"cdmx/injuve", "ATN-GEN", 2},       {"cdmx/pgj", "ATN-GEN", 2},
    {"cdmx/secgob", "ATN-GEN", 2},
};

/* Our choice; the report says that the city "brinda o solicita asistencia": 31 it serves itself. */
static const struct share children[] = {
    {"cdmx/ssc", "FED-APO", 22},
    {"cdmx/pgj", "FED-APO", 14},
    {"cdmx/sedesa", "FED-APO", 16},
    {"cdmx/c5", "FED-APO", 10},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Appends while the plan is being made. */
struct draft {
    struct plan *plan;
    unsigned count;
};

static int32_t day_of(const char *date)
{
    int32_t day = 0;
    enum rc rc = clock_parse_date(bytes_text(date), &day);

    assert(rc == RC_OK);
    return day;
}

static int session_of_case(unsigned number)
{
    static const unsigned firsts[PLAN_SESSIONS] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 19};
    int session = 0;

    while (session + 1 < PLAN_SESSIONS && number >= firsts[session + 1]) {
        session++;
    }
    return session;
}

static struct plan_exchange *add(struct draft *draft, enum plan_kind kind, const char *to,
                                 const char *code, unsigned person)
{
    static const enum message_type types[PLAN_KINDS] = {MESSAGE_MEASURE_REQUEST, MESSAGE_REFERRAL,
                                                        MESSAGE_SUPPORT_REQUEST,
                                                        MESSAGE_MEASURE_REQUEST};
    /* Who serves a federal case also asks the agencies for it. */
    static const char *const asking_systems[PLAN_KINDS] = {"plataforma", "plataforma", "sistema",
                                                           "atencion"};
    struct plan_exchange *exchange = &draft->plan->exchanges[draft->count++];

    assert(draft->count <= PLAN_EXCHANGES);
    *exchange = (struct plan_exchange){
        .kind = kind,
        .type = types[kind],
        .from = kind == PLAN_KIND_SUPPORT ? SEGOB : MPI,
        .from_system = asking_systems[kind],
        .to = to,
        /* mpi-cdmx asks with one of its systems and executes with another. */
        .to_system = strcmp(to, MPI) == 0 ? "atencion" : "",
        .catalogue_code = code,
        .person = person,
        .parent = PLAN_NO_PARENT,
        .urgency = URGENCY_ORDINARY,
        .session = -1,
    };
    return exchange;
}

static void add_item(struct plan_exchange *exchange, const char *code, unsigned occurrences)
{
    assert(exchange->item_count < PLAN_ITEMS_MAX);
    exchange->items[exchange->item_count++] = (struct plan_item){code, occurrences};
}

/* A request of an incorporated case: asked the day after the Consejo decided. */
static struct plan_exchange *add_own(struct draft *draft, const char *to, const char *code,
                                     unsigned person)
{
    struct plan_exchange *exchange = add(draft, PLAN_KIND_OWN, to, code, person);

    exchange->session = session_of_case(person);
    exchange->day = day_of(session_dates[exchange->session]) + 1;
    return exchange;
}

static void add_incorporated(struct draft *draft)
{
    for (size_t i = 0; i < COUNT(series); i++) {
        for (unsigned n = 0; n < series[i].cases; n++) {
            add_item(add_own(draft, series[i].to, series[i].code, n), series[i].code,
                     series[i].occurrences);
        }
    }
    for (unsigned n = 0; n < SOCIAL_CASES; n++) {
        struct plan_exchange *exchange = add_own(draft, "cdmx/saf", "SOC-CAN-ALI", n);

        add_item(exchange, "SOC-CAN-ALI", social_months[n]);
        add_item(exchange, "SOC-CAN-NAL", social_months[n]);
        add_item(exchange, "SOC-REN-INM", social_months[n]);
    }
    for (unsigned n = 0; n < PEOPLE_INCORPORATED; n++) {
        struct plan_exchange *exchange = add_own(draft, MPI, "PRO-TES-SUP", n);

        add_item(exchange, "PRO-TES-SUP", 10);
        add_item(exchange, "PRV-ACO-PRE", n < TWO_VISITS ? 2 : 1);
        add_item(exchange, "PRV-MON-TEL", 2);
    }
}

/* The one urgent measure cites the same plan and session as its case's other measures. */
static void add_urgent(struct draft *draft)
{
    struct plan_exchange *exchange = add_own(draft, "cdmx/ssc", "URG-INM-REF", URGENT_CASE);

    exchange->urgency = URGENCY_URGENT;
    add_item(exchange, "URG-INM-REF", 1);
}

/* Days between mid January and mid November, so that there is time left to report in 2019. */
static int32_t day_of_year(const struct draft *draft, const char *label, unsigned n)
{
    return day_of("2019-01-15") + (int32_t)people_draw(draft->plan->seed, label, n, 300);
}

static void add_referrals(struct draft *draft)
{
    unsigned person = PEOPLE_INCORPORATED;

    for (size_t i = 0; i < COUNT(referrals); i++) {
        for (unsigned n = 0; n < referrals[i].count; n++, person++) {
            struct plan_exchange *exchange =
                add(draft, PLAN_KIND_REFERRAL, referrals[i].to, referrals[i].code, person);

            exchange->day = day_of_year(draft, "referral-day", person);
            add_item(exchange, referrals[i].code, 1);
        }
    }
}

static void add_supports(struct draft *draft)
{
    for (unsigned n = 0; n < PLAN_SUPPORTS; n++) {
        unsigned person = PEOPLE_INCORPORATED + PEOPLE_REFERRED + n;
        struct plan_exchange *exchange = add(draft, PLAN_KIND_SUPPORT, MPI, "FED-APO", person);

        exchange->day = day_of_year(draft, "support-day", person);
        add_item(exchange, "FED-APO", 1);
    }
}

/* Each child asks an agency for what its parent asked of the city; one in three has none. */
static void add_children(struct draft *draft)
{
    unsigned support = 0;
    unsigned first = draft->count - PLAN_SUPPORTS;

    for (size_t i = 0; i < COUNT(children); i++) {
        for (unsigned n = 0; n < children[i].count; n++, support++) {
            unsigned parent = first + support + support / 2;
            struct plan_exchange *exchange =
                add(draft, PLAN_KIND_CHILD, children[i].to, children[i].code,
                    draft->plan->exchanges[parent].person);

            exchange->parent = parent;
            exchange->day = draft->plan->exchanges[parent].day + 1;
            add_item(exchange, children[i].code, 0);
        }
    }
}

static void give_ids(struct plan *plan, unsigned n)
{
    struct plan_exchange *exchange = &plan->exchanges[n];
    struct id random = people_id(plan->seed, "message", n, 0);

    exchange->created_at_ms = plan->start_ms + n;
    exchange->id = id_v7(exchange->created_at_ms, random.bytes);
    /* The federal mechanism and the city each have their own number for a case and a person. */
    exchange->case_id = people_id(plan->seed, exchange->from, exchange->person, 0);
    exchange->local_subject = people_id(plan->seed, exchange->from, exchange->person, 1);
    /* Per subject and receiving member: people_id has no room for two names, so by its number. */
    exchange->pseudonym = people_id(plan->seed, exchange->to, exchange->person,
                                    exchange->kind == PLAN_KIND_SUPPORT ? 3 : 2);
}

void plan_make(uint64_t seed, int64_t start_ms, struct plan *plan)
{
    struct draft draft = {.plan = plan};

    *plan = (struct plan){.seed = seed, .start_ms = start_ms};
    people_make(seed, plan->people);
    for (unsigned i = 0; i < PLAN_SESSIONS; i++) {
        snprintf(plan->sessions[i].code, sizeof plan->sessions[i].code, "CEM-2019-%02u", i + 1);
        snprintf(plan->sessions[i].date, sizeof plan->sessions[i].date, "%s", session_dates[i]);
    }
    add_incorporated(&draft);
    add_urgent(&draft);
    add_referrals(&draft);
    add_supports(&draft);
    add_children(&draft);
    assert(draft.count == PLAN_EXCHANGES);
    for (unsigned n = 0; n < PLAN_EXCHANGES; n++) {
        give_ids(plan, n);
    }
}

void plan_protection_id(const struct plan *plan, const struct plan_exchange *exchange, char out[32])
{
    unsigned first_federal = PEOPLE_INCORPORATED + PEOPLE_REFERRED;

    switch (plan->people[exchange->person].group) {
    case GROUP_INCORPORATED:
        snprintf(out, 32, "PP-2019-%03u", exchange->person + 1);
        break;
    case GROUP_FEDERAL:
        snprintf(out, 32, "PF-2019-%03u", exchange->person - first_federal + 1);
        break;
    default:
        out[0] = '\0';
    }
}

void plan_noon(int32_t day, char out[32])
{
    char date[CLOCK_TEXT_SIZE];
    /* Daylight saving time of 2019: from the first Sunday of April to the last of October. */
    bool is_summer = day >= day_of("2019-04-07") && day < day_of("2019-10-27");

    clock_format_date(day, date);
    snprintf(out, 32, "%.10sT12:00:00-0%c:00", date, is_summer ? '5' : '6');
}

unsigned plan_units(const struct plan_exchange *exchange)
{
    unsigned units = 0;

    for (unsigned i = 0; i < exchange->item_count; i++) {
        units += exchange->items[i].occurrences;
    }
    return units;
}

bool plan_is_extraordinary(const struct plan_exchange *exchange)
{
    return exchange->person == URGENT_CASE;
}
