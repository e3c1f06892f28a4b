/*
 * duty_people - the duty rosters of the members that this node hosts, read from a folder and again
 * when a file of it, or the directory, changes.
 *
 * Any *.note of the folder is a roster of one member (policy/duty_roster.h). Of one member the
 * highest version counts; what is refused is said once ("duty.refused") and changes nothing: the
 * last good one stays. One thread's, the waker's.
 */
#ifndef RELAY_DUTY_PEOPLE_H
#define RELAY_DUTY_PEOPLE_H

#include "base/own.h"
#include "policy/duty_roster.h"

struct duty_people;
struct node;

/* The folder is borrowed; "": there is none. NULL when out of memory. */
struct duty_people *duty_people_new(const struct node *node, const char *folder);
void duty_people_free(struct duty_people *people);
OWN_PTR_DEFINE(duty_people)

/* Looks whether anything changed; cheap when nothing did. */
void duty_people_refresh(struct duty_people *people);
/* Who of this member is on duty then, in order; 0: nobody, or no roster is in force. */
size_t duty_people_at(const struct duty_people *people, const char *member, int64_t now_ms,
                      const struct duty_official *officials[], size_t max);
/* Members with a roster: the i-th, NULL past the last. */
const char *duty_people_member(const struct duty_people *people, size_t i);

#endif
