#include "rpc/codec.h"

#include <string.h>

#include "base/arena.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_strict.h"

/* ---- reading ---- */

static void read_parties(const Enlace__V1__Header *from, struct header *to)
{
    to->schema = from->schema;
    to->message_id = pb_id(from->message_id);
    to->exchange_id = pb_id(from->exchange_id);
    to->parent_exchange_id = pb_id(from->parent_exchange_id);
    to->case_id = pb_id(from->case_id);
    to->from = from->from;
    to->from_system = from->from_system;
    to->to = from->to;
    to->to_system = from->to_system;
    to->on_behalf_of = from->on_behalf_of;
    to->urgency = (enum urgency)from->urgency;
    to->catalogue_code = from->catalogue_code;
    to->created_at_ms = from->created_at_ms;
    to->occurred_at = from->occurred_at;
    to->out_of_band = (enum out_of_band)from->out_of_band;
    to->break_glass = from->break_glass;
}

static void read_basis(const Enlace__V1__Header *from, struct header *to)
{
    to->purpose = from->purpose;
    to->legal_basis = from->legal_basis;
    if (from->aviso != NULL) {
        to->aviso_id = from->aviso->id;
        to->aviso_version = from->aviso->version;
        to->aviso_sha256 = pb_bytes(from->aviso->sha256);
    }
    if (from->consent != NULL) {
        to->consent = (enum consent)from->consent->state;
        to->consent_reference = from->consent->reference;
    }
    if (from->plan != NULL) {
        to->has_plan = true;
        to->plan_issuer = from->plan->issuer;
        to->plan_id = from->plan->id;
        to->plan_version = from->plan->version;
        to->procedure = (enum procedure)from->plan->procedure;
    }
    if (from->decision != NULL) {
        to->has_decision = true;
        to->decision_organ = from->decision->organ;
        to->decision_session = from->decision->session;
        to->decision_date = from->decision->date;
        to->decision_sha256 = pb_bytes(from->decision->sha256);
    }
}

/* Counts are within the arrays: the bounds' table says so. */
static void read_lists(const Enlace__V1__Header *from, struct header *to)
{
    to->subject_count = from->n_subjects;
    for (size_t i = 0; i < from->n_subjects; i++) {
        to->subjects[i] = (struct subject){.pseudonym = pb_id(from->subjects[i]->pseudonym),
                                           .role = (enum subject_role)from->subjects[i]->role};
    }
    to->clock_count = from->n_clocks;
    for (size_t i = 0; i < from->n_clocks; i++) {
        to->clocks[i] = (struct message_clock){.id = from->clocks[i]->id,
                                               .anchored_at_ms = from->clocks[i]->anchored_at_ms,
                                               .due_at_ms = from->clocks[i]->due_at_ms};
    }
    to->seal_count = from->n_seals;
    for (size_t i = 0; i < from->n_seals; i++) {
        to->seals[i] =
            (struct seal){.part = from->seals[i]->part, .sha256 = pb_bytes(from->seals[i]->sha256)};
    }
}

static enum rc read_items(Enlace__V1__Item *const *from, size_t count, struct arena *arena,
                          struct header *to, struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, count * sizeof *to->items, &memory, fault));
    to->items = memory;
    to->item_count = count;
    for (size_t i = 0; i < count; i++) {
        const Enlace__V1__Cadence *cadence = from[i]->cadence;

        to->items[i] = (struct item){
            .number = from[i]->number,
            .code = from[i]->code,
            .cadence_count = cadence != NULL ? cadence->count : 0,
            .period = cadence != NULL ? (enum period)cadence->period : PERIOD_NONE,
            .ends_on = from[i]->ends_on,
        };
    }
    return RC_OK;
}

static void read_act(const Enlace__V1__Act *from, struct header *to)
{
    to->regards = pb_id(from->regards);
    to->item = from->item;
    to->event = (enum event)from->event;
    to->reason = from->reason;
    to->competent = from->competent;
    to->evidence_sha256 = pb_bytes(from->evidence_sha256);
}

static void read_report(const Enlace__V1__StatusReport *from, struct header *to)
{
    to->item = from->item;
    to->occurrence = from->occurrence;
    to->action_code = from->action_code;
    to->evidence_sha256 = pb_bytes(from->evidence_sha256);
}

static enum rc read_aggregate(const Enlace__V1__Aggregate *from, struct arena *arena,
                              struct header *to, struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, from->n_figures * sizeof *to->figures, &memory, fault));
    to->aggregate_id = from->id;
    to->aggregate_from = from->from_date;
    to->aggregate_to = from->to_date;
    to->figures = memory;
    to->figure_count = from->n_figures;
    for (size_t i = 0; i < from->n_figures; i++) {
        to->figures[i] = (struct figure){from->figures[i]->name, from->figures[i]->value};
    }
    return RC_OK;
}

static enum rc read_content(const Enlace__V1__Header *from, struct arena *arena, struct header *to,
                            struct fault *fault)
{
    to->type = (enum message_type)from->content_case;
    switch (to->type) {
    case MESSAGE_REFERRAL:
        return read_items(from->referral->items, from->referral->n_items, arena, to, fault);
    case MESSAGE_MEASURE_REQUEST:
        return read_items(from->measure_request->items, from->measure_request->n_items, arena, to,
                          fault);
    case MESSAGE_SUPPORT_REQUEST:
        return read_items(from->support_request->items, from->support_request->n_items, arena, to,
                          fault);
    case MESSAGE_MEASURE_CHANGE:
        to->item = from->measure_change->item;
        to->change = (enum change_kind)from->measure_change->kind;
        to->ends_on = from->measure_change->ends_on;
        break;
    case MESSAGE_CONSULTATION:
        to->session = from->consultation->session;
        to->expires_at_ms = from->consultation->expires_at_ms;
        break;
    case MESSAGE_STATUS_REPORT:
        read_report(from->status_report, to);
        break;
    case MESSAGE_ACT:
        read_act(from->act, to);
        break;
    case MESSAGE_RECALL:
        to->regards = pb_id(from->recall->regards);
        to->reason = from->recall->reason;
        break;
    case MESSAGE_NOTICE:
        to->regards = pb_id(from->notice->regards);
        to->item = from->notice->item;
        to->notice_clock = from->notice->clock;
        to->notice_percent = from->notice->percent;
        to->notice_route = from->notice->route;
        to->notice_late = from->notice->late;
        to->notice_anchored_ms = from->notice->anchored_at_ms;
        to->notice_due_ms = from->notice->due_at_ms;
        break;
    case MESSAGE_AGGREGATE:
        return read_aggregate(from->aggregate, arena, to, fault);
    case MESSAGE_NONE:
        break; /* strict_check has refused it */
    }
    return RC_OK;
}

enum rc codec_header_read(struct bytes from, struct arena *arena, struct header *header,
                          struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__Header *wire;

    TRY(pb_read(SHAPE_HEADER, from, "header", arena, &read, fault));
    wire = (const Enlace__V1__Header *)read;
    header_init(header);
    read_parties(wire, header);
    read_basis(wire, header);
    read_lists(wire, header);
    return read_content(wire, arena, header, fault);
}

/* ---- writing ---- */

/* Everything that a packed header points to. */
struct pb_header {
    Enlace__V1__Header header;
    Enlace__V1__Aviso aviso;
    Enlace__V1__Consent consent;
    Enlace__V1__Plan plan;
    Enlace__V1__Decision decision;
    Enlace__V1__Subject subjects[MESSAGE_SUBJECTS_MAX];
    Enlace__V1__Subject *subject_at[MESSAGE_SUBJECTS_MAX];
    Enlace__V1__Clock clocks[MESSAGE_CLOCKS_MAX];
    Enlace__V1__Clock *clock_at[MESSAGE_CLOCKS_MAX];
    Enlace__V1__Seal seals[MESSAGE_COMPARTMENTS_MAX];
    Enlace__V1__Seal *seal_at[MESSAGE_COMPARTMENTS_MAX];
    union {
        Enlace__V1__Referral referral;
        Enlace__V1__MeasureRequest measure_request;
        Enlace__V1__MeasureChange measure_change;
        Enlace__V1__SupportRequest support_request;
        Enlace__V1__Consultation consultation;
        Enlace__V1__StatusReport status_report;
        Enlace__V1__Act act;
        Enlace__V1__Recall recall;
        Enlace__V1__Notice notice;
        Enlace__V1__Aggregate aggregate;
    } content;
    Enlace__V1__Item items[MESSAGE_ITEMS_MAX];
    Enlace__V1__Item *item_at[MESSAGE_ITEMS_MAX];
    Enlace__V1__Cadence cadences[MESSAGE_ITEMS_MAX];
    Enlace__V1__Figure figures[MESSAGE_FIGURES_MAX];
    Enlace__V1__Figure *figure_at[MESSAGE_FIGURES_MAX];
};

static void fill_parties(const struct header *from, Enlace__V1__Header *to)
{
    enlace__v1__header__init(to);
    to->schema = from->schema;
    to->message_id = pb_id_data(&from->message_id);
    to->exchange_id = pb_id_data(&from->exchange_id);
    to->parent_exchange_id = pb_id_data(&from->parent_exchange_id);
    to->case_id = pb_id_data(&from->case_id);
    to->from = pb_text(from->from);
    to->from_system = pb_text(from->from_system);
    to->to = pb_text(from->to);
    to->to_system = pb_text(from->to_system);
    to->on_behalf_of = pb_text(from->on_behalf_of);
    to->urgency = (Enlace__V1__Urgency)from->urgency;
    to->catalogue_code = pb_text(from->catalogue_code);
    to->purpose = pb_text(from->purpose);
    to->legal_basis = pb_text(from->legal_basis);
    to->created_at_ms = from->created_at_ms;
    to->occurred_at = pb_text(from->occurred_at);
    to->out_of_band = (Enlace__V1__OutOfBand)from->out_of_band;
    to->break_glass = pb_text(from->break_glass);
}

/* An aviso or a consent without anything in it is not written at all. */
static void fill_basis(const struct header *from, struct pb_header *to)
{
    enlace__v1__aviso__init(&to->aviso);
    to->aviso.id = pb_text(from->aviso_id);
    to->aviso.version = pb_text(from->aviso_version);
    to->aviso.sha256 = pb_data(from->aviso_sha256);
    if (to->aviso.id[0] != '\0' || to->aviso.version[0] != '\0' || to->aviso.sha256.len > 0) {
        to->header.aviso = &to->aviso;
    }
    enlace__v1__consent__init(&to->consent);
    to->consent.state = (Enlace__V1__ConsentState)from->consent;
    to->consent.reference = pb_text(from->consent_reference);
    if (from->consent != CONSENT_NONE || to->consent.reference[0] != '\0') {
        to->header.consent = &to->consent;
    }
    if (from->has_plan) {
        enlace__v1__plan__init(&to->plan);
        to->plan.issuer = pb_text(from->plan_issuer);
        to->plan.id = pb_text(from->plan_id);
        to->plan.version = from->plan_version;
        to->plan.procedure = (Enlace__V1__Procedure)from->procedure;
        to->header.plan = &to->plan;
    }
    if (from->has_decision) {
        enlace__v1__decision__init(&to->decision);
        to->decision.organ = pb_text(from->decision_organ);
        to->decision.session = pb_text(from->decision_session);
        to->decision.date = pb_text(from->decision_date);
        to->decision.sha256 = pb_data(from->decision_sha256);
        to->header.decision = &to->decision;
    }
}

static void fill_subjects(const struct header *from, struct pb_header *to)
{
    for (size_t i = 0; i < from->subject_count; i++) {
        enlace__v1__subject__init(&to->subjects[i]);
        to->subjects[i].pseudonym = pb_id_data(&from->subjects[i].pseudonym);
        to->subjects[i].role = (Enlace__V1__SubjectRole)from->subjects[i].role;
        to->subject_at[i] = &to->subjects[i];
    }
    to->header.n_subjects = from->subject_count;
    to->header.subjects = to->subject_at;
}

static void fill_lists(const struct header *from, struct pb_header *to)
{
    fill_subjects(from, to);
    for (size_t i = 0; i < from->clock_count; i++) {
        enlace__v1__clock__init(&to->clocks[i]);
        to->clocks[i].id = pb_text(from->clocks[i].id);
        to->clocks[i].anchored_at_ms = from->clocks[i].anchored_at_ms;
        to->clocks[i].due_at_ms = from->clocks[i].due_at_ms;
        to->clock_at[i] = &to->clocks[i];
    }
    to->header.n_clocks = from->clock_count;
    to->header.clocks = to->clock_at;
    for (size_t i = 0; i < from->seal_count; i++) {
        enlace__v1__seal__init(&to->seals[i]);
        to->seals[i].part = from->seals[i].part;
        to->seals[i].sha256 = pb_data(from->seals[i].sha256);
        to->seal_at[i] = &to->seals[i];
    }
    to->header.n_seals = from->seal_count;
    to->header.seals = to->seal_at;
}

static void fill_items(const struct header *from, struct pb_header *to)
{
    for (size_t i = 0; i < from->item_count; i++) {
        const struct item *item = &from->items[i];

        enlace__v1__item__init(&to->items[i]);
        to->items[i].number = item->number;
        to->items[i].code = pb_text(item->code);
        to->items[i].ends_on = pb_text(item->ends_on);
        if (item->cadence_count != 0 || item->period != PERIOD_NONE) {
            enlace__v1__cadence__init(&to->cadences[i]);
            to->cadences[i].count = item->cadence_count;
            to->cadences[i].period = (Enlace__V1__Period)item->period;
            to->items[i].cadence = &to->cadences[i];
        }
        to->item_at[i] = &to->items[i];
    }
}

static void fill_report(const struct header *from, Enlace__V1__StatusReport *to)
{
    enlace__v1__status_report__init(to);
    to->item = from->item;
    to->occurrence = from->occurrence;
    to->action_code = pb_text(from->action_code);
    to->evidence_sha256 = pb_data(from->evidence_sha256);
}

static void fill_act(const struct header *from, Enlace__V1__Act *to)
{
    enlace__v1__act__init(to);
    to->regards = pb_id_data(&from->regards);
    to->item = from->item;
    to->event = (Enlace__V1__Event)from->event;
    to->reason = pb_text(from->reason);
    to->competent = pb_text(from->competent);
    to->evidence_sha256 = pb_data(from->evidence_sha256);
}

static void fill_notice(const struct header *from, Enlace__V1__Notice *to)
{
    enlace__v1__notice__init(to);
    to->regards = pb_id_data(&from->regards);
    to->item = from->item;
    to->clock = pb_text(from->notice_clock);
    to->percent = from->notice_percent;
    to->route = pb_text(from->notice_route);
    to->late = pb_text(from->notice_late);
    to->anchored_at_ms = from->notice_anchored_ms;
    to->due_at_ms = from->notice_due_ms;
}

static void fill_aggregate(const struct header *from, struct pb_header *to)
{
    Enlace__V1__Aggregate *aggregate = &to->content.aggregate;

    enlace__v1__aggregate__init(aggregate);
    aggregate->id = pb_text(from->aggregate_id);
    aggregate->from_date = pb_text(from->aggregate_from);
    aggregate->to_date = pb_text(from->aggregate_to);
    for (size_t i = 0; i < from->figure_count; i++) {
        enlace__v1__figure__init(&to->figures[i]);
        to->figures[i].name = pb_text(from->figures[i].name);
        to->figures[i].value = from->figures[i].value;
        to->figure_at[i] = &to->figures[i];
    }
    aggregate->n_figures = from->figure_count;
    aggregate->figures = to->figure_at;
}

static void fill_content(const struct header *from, struct pb_header *to)
{
    switch (from->type) {
    case MESSAGE_REFERRAL:
        enlace__v1__referral__init(&to->content.referral);
        to->content.referral.n_items = from->item_count;
        to->content.referral.items = to->item_at;
        break;
    case MESSAGE_MEASURE_REQUEST:
        enlace__v1__measure_request__init(&to->content.measure_request);
        to->content.measure_request.n_items = from->item_count;
        to->content.measure_request.items = to->item_at;
        break;
    case MESSAGE_SUPPORT_REQUEST:
        enlace__v1__support_request__init(&to->content.support_request);
        to->content.support_request.n_items = from->item_count;
        to->content.support_request.items = to->item_at;
        break;
    case MESSAGE_MEASURE_CHANGE:
        enlace__v1__measure_change__init(&to->content.measure_change);
        to->content.measure_change.item = from->item;
        to->content.measure_change.kind = (Enlace__V1__ChangeKind)from->change;
        to->content.measure_change.ends_on = pb_text(from->ends_on);
        break;
    case MESSAGE_CONSULTATION:
        enlace__v1__consultation__init(&to->content.consultation);
        to->content.consultation.session = pb_text(from->session);
        to->content.consultation.expires_at_ms = from->expires_at_ms;
        break;
    case MESSAGE_STATUS_REPORT:
        fill_report(from, &to->content.status_report);
        break;
    case MESSAGE_ACT:
        fill_act(from, &to->content.act);
        break;
    case MESSAGE_RECALL:
        enlace__v1__recall__init(&to->content.recall);
        to->content.recall.regards = pb_id_data(&from->regards);
        to->content.recall.reason = pb_text(from->reason);
        break;
    case MESSAGE_NOTICE:
        fill_notice(from, &to->content.notice);
        break;
    case MESSAGE_AGGREGATE:
        fill_aggregate(from, to);
        break;
    case MESSAGE_NONE:
        return;
    }
    to->header.content_case = (Enlace__V1__Header__ContentCase)from->type;
    to->header.referral = &to->content.referral; /* all members of the union are pointers to it */
}

static bool header_fits(const struct header *header)
{
    return header->subject_count <= MESSAGE_SUBJECTS_MAX &&
           header->clock_count <= MESSAGE_CLOCKS_MAX &&
           header->seal_count <= MESSAGE_COMPARTMENTS_MAX &&
           header->item_count <= MESSAGE_ITEMS_MAX && header->figure_count <= MESSAGE_FIGURES_MAX;
}

void codec_header_write(const struct header *header, struct buffer *out)
{
    struct pb_header wire;

    if (!header_fits(header)) {
        out->is_failed = true;
        return;
    }
    fill_parties(header, &wire.header);
    fill_basis(header, &wire);
    fill_lists(header, &wire);
    fill_items(header, &wire);
    fill_content(header, &wire);
    pb_write(&wire.header.base, out);
}
