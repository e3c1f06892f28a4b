/*
 * tally - counts the year from audit records: units, measures and exchanges, as receivers logged
 * them.
 *
 *     tally_add(tally, "cdmx/ssc", &record) for every record of every log
 *     tally_end(tally) once, then tally_figures
 *
 * A unit is a StatusReport that its receiver's node logged, with occurred_on up to the report's
 * day; its class is its code's. A unit of an exchange that serves another one (a child) is counted
 * apart, because its parent reports the same act. A measure is an item of one of the city's own
 * requests on which at least one action was reported. Single-threaded.
 */
#ifndef WORKLOAD_TALLY_H
#define WORKLOAD_TALLY_H

#include "base/own.h"
#include "model/record.h"
#include "workload/figures.h"

struct tally;

/* last_day "2019-12-12", included. NULL when out of memory. */
struct tally *tally_new(const char *last_day);
void tally_free(struct tally *tally);
OWN_PTR_DEFINE(tally)

/* Copies what it needs. RC_RESOURCE_EXHAUSTED above a million records. */
MUST_CHECK enum rc tally_add(struct tally *tally, const char *node, const struct record *record);
void tally_end(struct tally *tally);

/*
 * Adds "acciones.*", "intercambios.*", "medidas.total" and "ejecutor.<member>";
 * "canalizaciones.de-instituciones" are those that others referred to the Mechanism.
 */
void tally_figures(const struct tally *tally, struct figures *figures);

struct tally_faults {
    size_t unpaired;    /* received records without a sent one of the same commitment */
    size_t repeated;    /* units logged twice for one occurrence */
    size_t of_children; /* units of exchanges that serve another */
    size_t received;    /* all received records, for the sentence "n de n" */
    size_t refused;     /* refusals logged */
    /* Sent and received records but notices, of exchanges not recalled: what another run must not
     * change. */
    size_t messages;
};

void tally_find_faults(const struct tally *tally, struct tally_faults *faults);

/* Is there a record RECEIVED by this node with this commitment M? */
bool tally_has_received(const struct tally *tally, const char *node,
                        const uint8_t commitment[HASH_SIZE]);
/*
 * A counted unit: its message's M, who reported it, the node whose log it was counted in, and which
 * occurrence of which item it is.
 */
struct tally_unit {
    const uint8_t *commitment;
    const char *from;
    const char *node;
    struct id exchange_id;
    uint32_t item;
    uint32_t occurrence;
    const char *code;
};
/* False past the last. Borrowed from the tally. */
bool tally_unit(const struct tally *tally, size_t n, struct tally_unit *unit);

/* Adds "acciones.<class>", "acciones.total" and, for what the city asked, "ejecutor.<member>". */
void tally_bump_unit(const struct tally_unit *unit, struct figures *figures);

/* "acciones.proteccion" for PRO-COD-VIG; "acciones.otras" for what the report does not count. */
const char *tally_class(const char *code);

#endif
