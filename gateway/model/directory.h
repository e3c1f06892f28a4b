/*
 * directory - who takes part, by which certificates, and what each route allows: plain structs.
 *
 * The same columns whether they come from a static file or from signed notes. Filled by
 * policy/directory_file, read by policy and relay; immutable once filled, shared by all threads.
 * Dates are days since 1970-01-01, both included. Codes are bounded and lower case.
 */
#ifndef MODEL_DIRECTORY_H
#define MODEL_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/deadline.h"
#include "model/field.h"
#include "model/message.h"

#define CODE_SIZE 64 /* with NUL: "cdmx/casa-refugio", codes, ids */
#define DIRECTORY_LINE_MAX 4096
#define RETENTION_SIZE 16
#define ROUTE_TYPES_MAX 12
#define ROUTE_CODES_MAX 32
#define ROUTE_CLOCKS_MAX 8
#define ROUTE_LADDER_MAX 8
#define HOLIDAYS_MAX 64 /* in a year */
#define VKEY_SIZE 192
#define ROSTER_KEYS_MAX 4
#define NETWORK_AUTHORITIES_MAX 16
#define TEXT_NONE UINT16_MAX

/* What a text of the directory is. */
enum text_kind {
    TEXT_VIEW, /* everything in one, unsigned: for tools that only read */
    TEXT_NETWORK,
    TEXT_ROSTER,
};

struct dates {
    int32_t from_day;
    int32_t to_day;
};

/* One text that the directory was made from; rows name it by its place in `texts`. */
struct directory_text {
    enum text_kind kind;
    char subject[CODE_SIZE]; /* "cdmx", or a roster's member "cdmx/ssc" */
    uint64_t version;
    struct dates in_force;
    uint8_t sha256[HASH_SIZE];
    unsigned quorum; /* a network's k; 0 elsewhere */
};

/* Who signs for a network; k of them make its text law. */
struct authority {
    char network[CODE_SIZE];
    char name[CODE_SIZE];
    char vkey[VKEY_SIZE]; /* C2SP vkey, type 0x01 */
    uint16_t text;
    unsigned line;
};

/* A suspension that k authorities ended, by the SHA-256 of its text. */
struct lift {
    uint8_t sha256[HASH_SIZE];
    uint16_t text;
    unsigned line;
};

/* A certificate out of force, whoever shows it among those whom the issuer may suspend. */
struct suspended_certificate {
    uint8_t fingerprint[HASH_SIZE];
    char network[CODE_SIZE];
    char owner[CODE_SIZE]; /* empty: everybody of the network */
};

struct member {
    char code[CODE_SIZE]; /* "cdmx/ssc" */
    char name[128];
    char node[CODE_SIZE];                          /* "cdmx/ssc": the node that hosts it */
    char roster_vkeys[ROSTER_KEYS_MAX][VKEY_SIZE]; /* any of them signs its roster */
    size_t roster_key_count;
    struct dates in_force;
    bool is_suspended;
    uint16_t roster; /* its roster's place in `texts`, or TEXT_NONE */
    uint16_t text;   /* its network's; with the line, decisions can be explained */
    unsigned line;
};

struct node_entry {
    char code[CODE_SIZE];         /* "cdmx/ssc" */
    char uri[128];                /* spiffe://enlace.cdmx/node/ssc */
    char address[128];            /* host:port */
    char origin[128];             /* of its log: gw.ssc/audit/2026 */
    char log_vkey[VKEY_SIZE];     /* C2SP vkey, type 0x01 */
    char witness_vkey[VKEY_SIZE]; /* type 0x04 */
    struct dates in_force;
    bool is_suspended;
    uint16_t text;
    unsigned line;
};

enum identity_kind {
    IDENTITY_NONE,
    IDENTITY_NODE,
    IDENTITY_SYSTEM,
    IDENTITY_OFFICIAL,
    IDENTITY_AUDITOR
};

/* As what somebody reads a node's log; policy/audit_rules says what each may. */
enum reader_role {
    READER_OFFICIAL,
    READER_AUDITOR,
    READER_COORDINATOR,
    READER_OPERATOR,
    READER_AUTHORITY,
    READER_SYSTEM, /* a member's own program; nobody's by a line of the directory */
    READER_ROLES
};

/* A row of a roster: a system, an official or an auditor, by certificate. */
struct identity {
    enum identity_kind kind;
    char uri[160];
    char member[CODE_SIZE]; /* "cdmx/ssc"; an auditor's institution */
    char name[CODE_SIZE];   /* "adapter", "enlace-01" */
    struct dates in_force;
    uint32_t roles; /* 1 << enum reader_role */
    bool has_fingerprint;
    uint8_t
        fingerprint[HASH_SIZE]; /* SHA-256 of the certificate in force (officials: must match) */
    bool has_seal;
    uint8_t seal_fingerprint[HASH_SIZE]; /* of the certificate that parcels to it are sealed to */
    bool is_suspended;                   /* itself, its member's, or its certificate */
    uint16_t text;
    unsigned line;
};

/* A system that acts for an official of its member, and so may name him or her. */
struct binding {
    char member[CODE_SIZE];
    char system[CODE_SIZE];
    char official[CODE_SIZE];
    uint16_t text;
    unsigned line;
};

/* A legal basis: a convenio, or an article of a law. */
struct basis {
    char id[CODE_SIZE]; /* "CONV-C5-2019", "LPPDDHP-26" */
    bool is_convenio;
    struct dates in_force;
    uint8_t sha256[HASH_SIZE]; /* of the document */
    uint16_t text;
    unsigned line;
};

struct aviso {
    char id[CODE_SIZE];
    char version[16];
    uint8_t sha256[HASH_SIZE];
    uint16_t text;
    unsigned line;
};

struct route {
    char id[CODE_SIZE];
    char from[CODE_SIZE];
    char to[CODE_SIZE];
    enum message_type types[ROUTE_TYPES_MAX];
    size_t type_count;
    char codes[ROUTE_CODES_MAX][32];
    size_t code_count;
    char purpose[CODE_SIZE];
    char basis[CODE_SIZE];
    char aviso[CODE_SIZE];
    struct field_set fields;        /* allowed in clear */
    struct field_set reply_fields;  /* allowed in answers of the recipient */
    uint32_t sealed_types;          /* compartments that may travel, and only sealed */
    char retention[RETENTION_SIZE]; /* "R5" = five years */
    bool is_urgent_allowed;
    struct clock_rule clocks[ROUTE_CLOCKS_MAX];
    size_t clock_count;
    char ladder[ROUTE_LADDER_MAX][CODE_SIZE];
    size_t ladder_count;
    bool needs_second_official;
    bool is_onward_through_origin; /* else: never */
    struct dates in_force;
    bool is_one_sided; /* between two networks, and only one of them has it: not in force */
    uint16_t text;
    unsigned line;
};

/* A year's days on which no term runs, as the text that its routes stand in lists them. */
struct holiday_year {
    int32_t days[HOLIDAYS_MAX]; /* ascending */
    size_t day_count;
    unsigned year;
    uint16_t text;
    unsigned line;
};

/* The days of one text's years, in one array for a search. */
struct holiday_list {
    int32_t *days;
    size_t count;
};

/*
 * Arrays sorted by code, uri or id; bases and avisos by (text, id): an id means what the network of
 * the route that names it says. Routes by (from, to, id).
 */
struct directory {
    uint8_t sha256[HASH_SIZE]; /* of the texts and suspensions that it was made from */
    struct directory_text *texts;
    size_t text_count;
    struct authority *authorities; /* in the order of the texts */
    size_t authority_count;
    struct lift *lifts;
    size_t lift_count;
    struct suspended_certificate *suspended;
    size_t suspended_count;
    struct member *members;
    size_t member_count;
    struct node_entry *nodes;
    size_t node_count;
    struct identity *identities;
    size_t identity_count;
    struct binding *bindings; /* by member, system, official */
    size_t binding_count;
    struct basis *bases;
    size_t basis_count;
    struct aviso *avisos;
    size_t aviso_count;
    struct route *routes;
    size_t route_count;
    struct holiday_year *holidays; /* by (text, year) */
    size_t holiday_count;
    struct holiday_list *working_terms; /* one for each text */
};

#endif
