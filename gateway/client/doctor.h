/*
 * doctor - why does it not work? The way from a profile to an echo, step by step: certificate,
 * name, network, TLS, the node's certificate, directory, clock, echo. What fails is said with its
 * remedy; what could not be reached after it is not guessed at.
 *
 * Blocking (a few seconds at most); one owner at a time.
 */
#ifndef CLIENT_DOCTOR_H
#define CLIENT_DOCTOR_H

#include <stdbool.h>

#include "base/rc.h"

struct arena;
struct ping;
struct profile;

#define DOCTOR_STEPS_MAX 16

struct doctor_step {
    const char *name; /* for programs: "own_certificate", "dns", "tcp" ... */
    bool is_well;
    char what[160];
    char remedy[512]; /* "" when it is well */
};

struct doctor {
    const struct profile *profile;
    struct arena *arena;
    /* After each step; may be NULL. */
    void (*say)(const struct doctor_step *step);
    /* Between directory and clock: notes what the caller knows besides. False ends the visit. NULL:
     * nothing. */
    bool (*look_further)(struct doctor *doctor, const struct ping *ping);
    const void *further; /* look_further's */
    struct doctor_step steps[DOCTOR_STEPS_MAX];
    size_t count;
    int socket; /* doctor_visit's */
};

/* True: all is well. The first five members are the caller's, the rest zero. */
bool doctor_visit(struct doctor *doctor);

/* For look_further: one step more. Returns is_well. */
__attribute__((format(printf, 5, 6))) bool doctor_note(struct doctor *doctor, const char *name,
                                                       bool is_well, const char *remedy,
                                                       const char *format, ...);
bool doctor_note_fault(struct doctor *doctor, const char *name, const char *what,
                       const struct fault *fault);

#endif
