/*
 * directory_file - the readable directory: who takes part, on what basis, along which routes.
 *
 * Texts that people can read out as a decree, each the body of a C2SP signed note (policy/law): one
 * of each network, one roster of each member. UTF-8; lines end with LF; no tabs, no control
 * characters; "#" in the first column begins a comment line; an empty line means nothing. Header
 * lines first, in this order:
 *
 *     enlace-directory v1
 *     network cdmx
 *     version 7
 *     in-force 2026-01-01..2027-12-31
 *
 * (a roster: "enlace-roster v1", "member cdmx/ssc", and the last two), then stanzas in any order. A
 * stanza's first line is "kind id"; its keys follow, indented by two spaces, "key value", in any
 * order, each once, all required but those in brackets. Keys marked + are lists: elements apart by
 * one space, over as many lines of that key as one likes.
 *
 *     quorum K                        how many of the authorities sign, 2 at least
 *     authority NAME                  key
 *     lift SHA256                     reason: the suspension with this digest is over
 *     member NETWORK/CODE             name, node, [roster-key+], in-force
 *     node NETWORK/CODE               address, origin, log-key, witness-key, in-force
 *     system NETWORK/CODE/NAME        in-force, [certificate], [seal], [acts-for+]
 *     official NETWORK/CODE/ID        in-force, certificate, [role+]
 *     auditor NETWORK/CODE/ID         in-force, [certificate], [role+]   (these three in rosters)
 *     convenio ID, law ID             title, document, in-force
 *     aviso ID                        version, document
 *     holidays YEAR                   days+
 *     route ID                        from, to, types+, [codes+], purpose, basis, aviso, [fields+],
 *                                     [reply-fields+], [sealed+], retention, urgent yes|no,
 *                                     [clocks+], [ladder+], second-official yes|no,
 *                                     onward never|through-origin, in-force
 *
 * in-force is DATE..DATE, both days included, local dates. certificate, seal and document are the
 * 64 lower-case hex digits of a SHA-256 (of a certificate's DER, of a document's bytes). URIs are
 * not written: "system cdmx/ssc/adapter" is spiffe://enlace.cdmx/member/ssc/system/adapter.
 * key, roster-key, log-key and witness-key are C2SP vkeys, and the log key's name is the log's
 * origin. types lists every type that may travel along the route, answers included. codes may be
 * missing only where nothing but Aggregate, Consultation and Notice travels.
 *
 * A clock is ID=LIMIT[,ANCHOR..STOP][,urgent|,ordinary]: "F1=3h", "F6=30d,decision..R4,ordinary",
 * "C1=20dh,opening..R4". The limit is in m or h (instants), d (calendar days, días naturales) or dh
 * (working days, días hábiles). It runs from opening (the first message), decision (the local day
 * of the one it cites) or R3, until R1, R3 or R4 (model/deadline.h), or from recall until its
 * answer; for messages of both urgencies when it names none. What an F of the federal law leaves
 * out is as that law has it; any other id is F, C or X and digits, and says what it runs from and
 * to. holidays lists a year's days that are no working days beside Saturdays and Sundays; a text
 * with a clock in dh lists each year of its in-force. ladder lists who is told when a clock runs
 * out, the last rung at last.
 *
 *
 * acts-for names the officials of the same member whom a system may name in a message
 * (on_behalf_of); without it the system acts for nobody.
 *
 * role says as what somebody reads a node's log: official, coordinator, operator; auditor,
 * authority (policy/audit_rules.h). Without it an official is one, and an auditor.
 *
 * Refused: unknown keys and stanzas, duplicates, reversed dates; a member, code, field, type,
 * basis or aviso that is not known; fields of location, schedule or relatives, or of a compartment
 * that the route also lists as sealed; a clock with an impossible anchor (R4, or not before its
 * stop), two that run from and to the same, one that is over in R4 before it may be in R3, one that
 * is urgent where nothing urgent travels, more than two from R3; a ladder that ends at an
 * institution that may be the late one (for a clock to R1 the sender, else the recipient), or none
 * at all where a clock runs; a working day's clock without its holidays; and two
 * routes that could both claim a message (same parties, an opening type and a code in common, dates
 * that overlap). The same member, or the same identity, may stand twice when its dates do not
 * overlap (a name has dates; two certificates of one system may overlap).
 *
 * Any thread; the directory is immutable once made.
 */
#ifndef POLICY_DIRECTORY_FILE_H
#define POLICY_DIRECTORY_FILE_H

#include "base/bytes.h"
#include "base/own.h"
#include "model/directory.h"

#define DIRECTORY_TEXT_MAX ((size_t)8 << 20)
#define DIRECTORY_MEMBERS_MAX 1024
#define DIRECTORY_NODES_MAX 256
#define DIRECTORY_IDENTITIES_MAX 16384
#define DIRECTORY_BINDINGS_MAX 65536
#define DIRECTORY_BASES_MAX 1024
#define DIRECTORY_AVISOS_MAX 256
#define DIRECTORY_ROUTES_MAX 4096
#define DIRECTORY_HOLIDAYS_MAX 256 /* years, over all texts */
#define DIRECTORY_AUTHORITIES_MAX 256
#define DIRECTORY_LIFTS_MAX 4096
#define DIRECTORY_TEXTS_MAX 2048
#define DIRECTORY_ERROR_SIZE 512

/* A text without its signatures; both are borrowed. */
struct directory_source {
    struct bytes text;
    const char *name; /* for errors */
};

/*
 * RC_INVALID_ARGUMENT (`error` then reads "file:line: ... expected ..., did you mean ...?"),
 * RC_NOT_FOUND when there is no such file, RC_RESOURCE_EXHAUSTED when out of memory.
 */
MUST_CHECK enum rc directory_read(const char *path, struct directory **directory,
                                  char error[DIRECTORY_ERROR_SIZE]);
/* The same from memory; `name` stands for the file's in errors. */
MUST_CHECK enum rc directory_parse(struct bytes text, const char *name,
                                   struct directory **directory, char error[DIRECTORY_ERROR_SIZE]);
/*
 * One directory of the networks' texts and their members' rosters, in any order; its sha256 is that
 * of the texts' digests in ascending order. Signatures are not looked at: see policy/law. Each text
 * speaks for its own: a network's for its members, nodes and the routes from or to them, a roster
 * for its member's systems, officials and auditors. A route between two networks of these is in
 * force only when both have it, the same but for notes and order: else it is marked as one-sided.
 */
MUST_CHECK enum rc directory_assemble(const struct directory_source *sources, size_t count,
                                      struct directory **directory,
                                      char error[DIRECTORY_ERROR_SIZE]);
void directory_free(struct directory *directory);
OWN_PTR_DEFINE(directory)

#endif
